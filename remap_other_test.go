//go:build !linux

package bytering

import "errors"

// remaps says that there is no mirrored memory here.
func remaps() error { return errors.ErrUnsupported }
