package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// watchPeak looks at the memory of a process and its children until done is closed.
// It sends the peak that it has seen, in MiB: the sum of the most that each process
// had had until then. A process's rusage does not serve, because it starts with the
// memory of the parent.
func watchPeak(pid int, done <-chan struct{}) <-chan float64 {
	peak := make(chan float64, 1)
	go func() {
		most := 0
		for {
			most = max(most, highWater(strconv.Itoa(pid)))
			select {
			case <-done:
				peak <- float64(most) / (1 << 10)
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return peak
}

// highWater returns the KiB that a process and its children have had at most.
func highWater(pid string) (kib int) {
	status, _ := os.ReadFile("/proc/" + pid + "/status") // there is none once the process has ended
	if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
		fmt.Sscan(rest, &kib)
	}
	children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	for child := range strings.FieldsSeq(string(children)) {
		kib += highWater(child)
	}
	return kib
}
