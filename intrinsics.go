package bytering

// Package seam renames the types of sync/atomic. The compiler inlines their
// methods only in a package that imports sync/atomic itself: without this line
// every load is a call.
import _ "sync/atomic"
