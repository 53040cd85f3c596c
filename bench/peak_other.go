//go:build !linux

package main

// watchPeak has no figures on this system.
func watchPeak(int, <-chan struct{}) <-chan float64 {
	peak := make(chan float64, 1)
	peak <- 0
	return peak
}
