//go:build !linux

package memory

import (
	"errors"
	"fmt"
	"runtime"
)

func unsupported(what string) error {
	return fmt.Errorf("bytering: %s: %w on %s", what, errors.ErrUnsupported, runtime.GOOS)
}
