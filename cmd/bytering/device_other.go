//go:build !linux

package main

import (
	"io/fs"
	"os"
)

// deviceSize returns that it is not known.
func deviceSize(*os.File) int64 { return -1 }

// isTape reports that f is none, where tapes are not known from other devices.
func isTape(fs.FileInfo) bool { return false }

// exclusive means nothing for a device here.
const exclusive = 0
