//go:build !linux

package main

import (
	"errors"
	"os"
)

// setPipeSize can't be done here.
func setPipeSize(*os.File, int) error { return errors.ErrUnsupported }
