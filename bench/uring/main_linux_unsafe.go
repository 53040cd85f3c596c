//go:build linux

// Uring compares direct reads of a file or block device by io_uring with those of
// goroutines, both with the same number in flight: it is a probe, to see what an
// engine on io_uring could gain.
//
//	go run ./uring -depth 16 -block 256K file
//
// This file is unsafe because the rings of io_uring are memory shared with the
// kernel. What keeps it safe: the offsets come from the kernel, the words that both
// sides use are read and written atomically, and the buffers are mappings that
// outlive the reads.
package main

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	sysSetup, sysEnter = 425, 426
	offRings, offSQEs  = 0, 0x10000000
	opRead             = 22
	getEvents          = 1
)

type (
	params struct {
		sqEntries, cqEntries, flags, threadCPU, idle, features, wq uint32
		_                                                          [3]uint32
		sq                                                         struct{ head, tail, mask, entries, flags, dropped, array, _, _, _ uint32 }
		cq                                                         struct{ head, tail, mask, entries, overflow, cqes, flags, _, _, _ uint32 }
	}
	sqe struct {
		op, flags   uint8
		prio        uint16
		fd          int32
		off, addr   uint64
		len, rwFlag uint32
		user        uint64
		_           [24]byte
	}
	cqe struct {
		user  uint64
		res   int32
		flags uint32
	}
)

// uring reads blocks at the offsets that next returns, with depth reads in flight,
// on one thread.
func uring(fd, block, depth int, bufs [][]byte, next func() (int64, bool)) error {
	var p params
	ring, _, errno := syscall.Syscall(sysSetup, uintptr(depth), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return os.NewSyscallError("io_uring_setup", errno)
	}
	defer syscall.Close(int(ring))
	size := max(int(p.sq.array+p.sqEntries*4), int(p.cq.cqes+p.cqEntries*16))
	shared, err := syscall.Mmap(int(ring), offRings, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_POPULATE)
	if err != nil {
		return err
	}
	entries, err := syscall.Mmap(int(ring), offSQEs, int(p.sqEntries)*64, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_POPULATE)
	if err != nil {
		return err
	}
	word := func(off uint32) *uint32 { return (*uint32)(unsafe.Pointer(&shared[off])) }
	inFlight, queued := 0, 0
	put := func(slot uint64) {
		off, ok := next()
		if !ok {
			return
		}
		tail := *word(p.sq.tail)
		i := tail & *word(p.sq.mask)
		*(*sqe)(unsafe.Pointer(&entries[i*64])) = sqe{op: opRead, fd: int32(fd), off: uint64(off), addr: uint64(uintptr(unsafe.Pointer(&bufs[slot][0]))), len: uint32(block), user: slot}
		*word(p.sq.array + i*4) = i
		atomic.StoreUint32(word(p.sq.tail), tail+1)
		inFlight++
		queued++
	}
	for slot := range depth {
		put(uint64(slot))
	}
	for inFlight > 0 {
		n, _, errno := syscall.Syscall6(sysEnter, ring, uintptr(queued), 1, getEvents, 0, 0)
		if errno != 0 && errno != syscall.EINTR {
			return os.NewSyscallError("io_uring_enter", errno)
		} else if errno == 0 {
			queued -= int(n)
		}
		head := *word(p.cq.head)
		for ; head != atomic.LoadUint32(word(p.cq.tail)); head++ {
			c := *(*cqe)(unsafe.Pointer(&shared[p.cq.cqes+head&*word(p.cq.mask)*16]))
			if int(c.res) != block {
				return fmt.Errorf("io_uring: a read of %d bytes gave %d", block, c.res)
			}
			inFlight--
			put(c.user)
		}
		atomic.StoreUint32(word(p.cq.head), head)
	}
	return nil
}

// goroutines does the same with a goroutine for each of depth reads.
func goroutines(fd, block, depth int, bufs [][]byte, next func() (int64, bool)) error {
	var wg sync.WaitGroup
	errs := make(chan error, depth)
	for i := range depth {
		wg.Go(func() {
			for off, ok := next(); ok; off, ok = next() {
				if n, err := syscall.Pread(fd, bufs[i], off); n != block {
					errs <- fmt.Errorf("pread: a read of %d bytes gave %d, %w", block, n, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

func main() {
	depth := flag.Int("depth", 16, "reads in flight")
	block := flag.Int("block", 256<<10, "bytes of a read")
	total := flag.Int64("bytes", 2<<30, "bytes of a trial")
	trials := flag.Int("trials", 5, "trials of each")
	flag.Parse()
	f, err := os.OpenFile(flag.Arg(0), os.O_RDONLY|syscall.O_DIRECT, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, "uring:", err)
		os.Exit(1)
	}
	fd := int(f.Fd())
	end, _ := f.Seek(0, 2)
	bufs := make([][]byte, *depth)
	for i := range bufs {
		bufs[i], _ = syscall.Mmap(-1, 0, *block, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_POPULATE)
	}
	for range *trials {
		for name, run := range map[string]func(int, int, int, [][]byte, func() (int64, bool)) error{"io_uring": uring, "goroutines": goroutines} {
			var at atomic.Int64
			next := func() (int64, bool) {
				i := at.Add(int64(*block)) - int64(*block)
				return i % (end / int64(*block) * int64(*block)), i < *total
			}
			var before, after syscall.Rusage
			syscall.Getrusage(syscall.RUSAGE_SELF, &before)
			began := time.Now()
			if err := run(fd, *block, *depth, bufs, next); err != nil {
				fmt.Fprintln(os.Stderr, "uring:", err)
				os.Exit(1)
			}
			took := time.Since(began)
			syscall.Getrusage(syscall.RUSAGE_SELF, &after)
			used := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
			gb := float64(*total) / 1e9
			fmt.Printf("%-10s depth %d, %d KiB: %.2f GB/s, %.3f processor s/GB\n", name, *depth, *block>>10, gb/took.Seconds(), used.Seconds()/gb)
		}
	}
}
