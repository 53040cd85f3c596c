package bytering

import (
	"errors"
	"io"
	"time"

	"github.com/bytering/bytering/internal/seam"
)

// A half is what a Producer and a Consumer have in common. Apart from closed,
// close and setDeadline its methods are the owner's.
type half struct {
	ring   *ring
	shared *record
	peers  []*record   // of the other side
	side   side        // the Producer or the Consumer
	open   *seam.Int32 // the ring's count of open halves on this side
	plain  error       // what this half gets if its peers are closed without an error

	pos     uint64 // the cursor, without the closed bit
	limit   uint64 // how far pos may go, as last seen
	off     int    // the place of pos in the memory
	quick   int    // bytes that the short path may move
	busy    bool   // a call is running
	guarded bool   // calls must take the hold
	held    bool   // the hold is taken
	exposed bool   // on a mapped ring: memory was handed out
	trails  bool   // the last wait found a small chunk at its second look
	lent    int    // bytes in the slices that the owner has been handed
	pins    int    // Pins without an Unpin

	timer      seam.Timer // ends a sleep at the deadline
	timerSetTo uint64
	readiness  readiness
	bufs       vector
	spinFor    time.Duration // before parking, or 0
	processors processors
	yielder    yielder
}

// A side is what a half must know of the Producer or Consumer that it belongs
// to, in order to wait.
type side interface {
	// ready reports whether there is no reason to wait for n bytes: they are
	// there, or never will be.
	ready(n int) bool
	// goal returns the cursor of the other side at which n bytes are there.
	goal(n int) uint64
	// ended reports whether Err is not nil.
	ended() bool
}

func (h *half) init(cfg *config) {
	h.spinFor = cfg.spin
	h.shared.target.token = seam.NewToken()
}

// begin sets what a half starts with, except for its cursor.
func (h *half) begin() {
	s := h.shared
	s.err.Store(nil)
	s.deadline.Store(0)
	s.target.note.Store(nil)
	seam.Drain(s.target.token)
	s.hold.Store(0)

	seam.Owned(&h.busy)
	h.pos, h.limit, h.off = h.ring.start, h.ring.start, 0
	h.timerSetTo, h.trails = 0, false
	h.yielder = yielder{seen: never}
	h.readiness.drain()
}

// enter begins a call of the owner, leave ends it.
func (h *half) enter() {
	if h.busy {
		panic(h.overlap())
	}
	h.busy = true
	seam.Owned(&h.busy)
	if h.guarded && !h.held {
		h.held = h.shared.hold.take()
	}
}

func (h *half) leave() {
	if h.held && h.lent == 0 && h.pins == 0 {
		h.giveBack()
	}
	h.busy = false
}

func (h *half) overlap() string {
	return "bytering: overlapping calls of a " + h.name() + ", which belongs to one goroutine at a time"
}

func (h *half) name() string {
	if h.consumes() {
		return "Consumer"
	}
	return "Producer"
}

func (h *half) consumes() bool { return h.shared != &h.ring.producer }

// The short path moves bytes that the half has already seen and that do not reach
// the wrap: it compares their number with quick, copies them and moves the cursor.
// A consumer that has not seen enough looks once before that: see look. The short
// path checks busy but does not set it, so a fault in the caller's memory leaves
// nothing behind. A call that overlaps it finds that the cursor has moved: see
// lost.

// fits reports whether the short path may move n bytes.
func (h *half) fits(n int) bool { return uint(n-1) < uint(h.quick) && !h.busy }

// hasShortPath reports whether the half has a short path at all: its calls neither take the
// hold nor wake several consumers.
func (h *half) hasShortPath() bool { return !h.guarded && !h.ring.broadcast }

// setQuick computes quick anew, when it is used up or the limit may have grown. Without a
// short path it is 0.
func (h *half) setQuick() {
	h.quick = 0
	if h.hasShortPath() {
		h.quick = min(distance(h.pos, h.limit), h.ring.size-h.off-1, largestCopy)
	}
}

// quickMove moves the cursor by n bytes that fit, and reports whether it did. If not,
// lost says why. If so, the caller must then look whether the other side waits, and
// not earlier: that is E3 in wait.go. The look is not in here because quickMove would then be
// too large to be inlined.
func (h *half) quickMove(n int) bool {
	seam.Owned(&h.busy)
	next := (h.pos + uint64(n)) & cursorMask
	if !h.shared.cursor.CompareAndSwap(h.pos, next) {
		return false
	}
	h.pos = next
	h.off += n
	h.quick -= n
	h.lent = 0
	return true
}

// wakeOthers wakes the other side after the short path has moved the cursor.
// busy is set for the function of a note, and no longer if that panics.
func (h *half) wakeOthers() {
	h.busy = true
	defer func() { h.busy = false }()
	if h.consumes() {
		h.ring.wakeProducer()
	} else {
		h.ring.wakeConsumers(h.pos)
	}
}

// lost returns the error of a commit or discard whose compare-and-swap failed:
// the half was closed. Otherwise another call has moved the cursor, and lost
// panics.
func (h *half) lost() error {
	if h.closed() {
		return io.ErrClosedPipe
	}
	panic(h.overlap())
}

// closed reports whether the half is closed. If it is not, a call of the owner
// may touch the memory: on a guarded ring enter has taken the hold, which only a
// close can refuse, after it has set the bit.
func (h *half) closed() bool { return h.shared.cursor.Load()&closed != 0 }

// lend records that the owner is handed slices of n bytes.
func (h *half) lend(n int) {
	h.lent = max(h.lent, n)
	if h.held && h.lent > 0 {
		h.expose()
	}
}

// giveBack gives the hold back, and the producer its space if that releases a
// consumer. After that nothing of the half may point to the memory.
func (h *half) giveBack() {
	h.held = false
	h.bufs = vector{}
	if h.shared.hold.giveBack() {
		h.ring.release() // before a note, which may panic
		if h.consumes() {
			h.ring.wakeProducer()
		}
	}
}

func (h *half) pin() {
	h.enter()
	h.pins++
	h.leave()
}

func (h *half) unpin() {
	h.enter()
	defer h.leave()
	if h.pins == 0 {
		panic("bytering: Unpin of a " + h.name() + " that is not pinned")
	}
	h.pins--
}

// close closes the half. The error is stored before the closed bit, so that it
// is there for any goroutine that sees the bit. An earlier error stays.
func (h *half) close(err error) error {
	r, s := h.ring, h.shared
	s.err.CompareAndSwap(nil, &err)
	if s.cursor.Or(closed)&closed != 0 {
		return nil
	}
	if s.hold.close() {
		r.release() // before a note, which may panic
	}
	h.timer.Stop() // before the count, which lets Reset begin
	h.open.Add(-1)
	for _, peer := range h.peers {
		peer.target.wake()
	}
	s.target.wake()
	for _, peer := range h.peers {
		r.notify(peer)
	}
	r.notify(s)
	return nil
}

// peersErr returns the error that the half gets once its peers are closed: that
// of the producer, or those of the consumers joined.
func (h *half) peersErr() error {
	if len(h.peers) == 1 {
		return h.peers[0].errOr(h.plain)
	}
	errs := make([]error, len(h.peers))
	plain := true
	for i, peer := range h.peers {
		errs[i] = peer.errOr(h.plain)
		plain = plain && errs[i] == h.plain
	}
	if plain {
		return h.plain
	}
	return errors.Join(errs...)
}

// errOr returns the error that the half was closed with, or plain if that was
// none. The error can be missing altogether if a Close overlaps Reset.
func (s *record) errOr(plain error) error {
	if err := s.err.Load(); err != nil && *err != nil {
		return *err
	}
	return plain
}
