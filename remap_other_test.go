//go:build !linux

package bytering

import "errors"

// remaps reports that there is no mirrored memory on this system.
func remaps() error { return errors.ErrUnsupported }
