//go:build interleave

package bytering

import "github.com/bytering/bytering/internal/interleave"

func spinScenarios(add func(bound int, run func(*interleave.T), name string, args ...any)) {
	add(2, spinning(transfer(1, 3, 2, 2, near)), "spin/transfer/capacity=1")
	add(2, spinning(transfer(2, 5, 3, 2, near)), "spin/transfer/capacity=2")
	add(2, spinning(inPlace(3, 5, near)), "spin/slices")
	add(2, spinning(peeks(4, 4, 3, 6)), "spin/peek")
	add(1, spinning(peeks(8, 8, 11, 11)), "spin/quarter")
	add(2, spinning(waits(3, 3, 4)), "spin/wait")
	add(2, spinning(thirdClosesProducer(1, 3)), "spin/third-closes-producer")
	add(2, spinning(flushThenClose(2, true)), "spin/flush-after-close")
	add(2, spinning(thirdClosesConsumer), "spin/third-closes-consumer")
	add(2, spinning(cancelConsumer), "spin/cancel-consumer-wait")
	add(2, spinning(cancelProducer), "spin/cancel-producer-wait")
	add(2, spinning(setWhileParked(true, 5)), "spin/deadline/reader")
	add(2, spinning(setWhileParked(false, 5)), "spin/deadline/writer")
	add(1, spinning(broadcast(1, 2, 2)), "spin/broadcast")
}
