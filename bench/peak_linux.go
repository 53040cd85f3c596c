package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// watchPeak looks at the memory of a process and its children until done is closed. It
// sends the most that it has seen in MiB: the sum of what each has had at most until
// then. A process's rusage won't do: it begins with the memory of its parent.
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
	status, _ := os.ReadFile("/proc/" + pid + "/status") // none once it has ended
	if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
		fmt.Sscan(rest, &kib)
	}
	children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	for child := range strings.FieldsSeq(string(children)) {
		kib += highWater(child)
	}
	return kib
}
