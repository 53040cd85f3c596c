//go:build !linux

package direct

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// Supported returns nil, or why no file can be direct on this system.
func Supported() error {
	return fmt.Errorf("direct I/O on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func (d *File) look() (appends bool, err error) { return false, Supported() }
func (d *File) set(bool) error                  { return Supported() }
func isRefusal(error) bool                      { return false }
func again(*os.File, int) (*os.File, error)     { return nil, Supported() }
