//go:build !unix

package main

import "time"

// processorTime returns 0: it is not known here.
func processorTime() time.Duration { return 0 }

// pageFaults returns 0: they are not known here.
func pageFaults() int64 { return 0 }
