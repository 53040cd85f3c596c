//go:build !linux

package main

// watchPeak knows nothing here.
func watchPeak(int, <-chan struct{}) <-chan float64 {
	peak := make(chan float64, 1)
	peak <- 0
	return peak
}
