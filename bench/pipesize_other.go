//go:build !linux

package main

import (
	"errors"
	"os"
)

// setPipeSize fails: this system has no such call.
func setPipeSize(*os.File, int) error { return errors.ErrUnsupported }
