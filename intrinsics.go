package bytering

// Package seam gives the types of sync/atomic other names. The compiler puts
// their methods inline only in a package that imports sync/atomic itself:
// without this line every load is a call.
import _ "sync/atomic"
