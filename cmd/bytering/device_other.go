//go:build !linux

package main

import (
	"io/fs"
	"os"
)

// deviceSize returns -1: the size is not known here.
func deviceSize(*os.File) int64 { return -1 }

// isTape returns false: tapes can't be told from other devices here.
func isTape(fs.FileInfo) bool { return false }

// exclusive is no flag: here no flag refuses a mounted device.
const exclusive = 0
