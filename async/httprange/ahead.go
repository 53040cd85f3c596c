package httprange

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/bytering/bytering/async"
)

// aheadPiece is the most that one read of a lead returns. The consumer of the stream
// then need not wait for a whole block.
const aheadPiece = 256 << 10

// firstLook is when the first lead is judged by how fast its bytes come, unless they came
// before that.
const firstLook = 4 * time.Millisecond

// An ahead asks for ranges before they are read, so that a response has come when its
// bytes are needed. Such a range is a lead. At most depth of them are open, and only the
// memory of the connections holds bytes of one that is not read yet.
//
//	      at              to = from            to         next
//	       │                  │                 │           │
//	───────┼──────────────────┼─────────────────┼───────────┼──
//	 read  │ lead, being read │ lead, answered  │ asked for │ later
//
// The first lead is the response to the first request, which is for all of the object.
// It is cut at the block that it can't reach before another response comes. If its
// connection is fast that is far away, and otherwise near.
//
// A long lead hides the time until the next response comes. But a ring of depth + 1
// blocks holds fewer long leads than short ones, so fewer connections move bytes at once.
// Let x be how many blocks a connection moves in that time. Leads of m blocks need
// m × depth ≥ (x + m) × rate to hide the time, where the rate is in connections, and the
// ring allows a rate of (depth + 1) / m. Both are the same at an m of about 1 + √x.
type ahead struct {
	f        *File
	block    int64
	depth    int
	patience time.Duration
	ctx      context.Context // of the leads but the first
	stop     context.CancelFunc

	mu    sync.Mutex
	leads []*lead // that are not read to their end, in order
	next  int64   // where the next lead begins
	reach int64   // the end of what was asked of read
	got   int64   // bytes of all leads, since began
	began time.Time
	delay time.Duration // until a response comes
	speed float64       // of a connection, in bytes a second
}

// A lead is a range that is asked for ahead.
type lead struct {
	from, to int64
	cancel   context.CancelFunc // of its request
	answered chan struct{}      // closed when body or err is set
	body     io.ReadCloser
	err      error

	// Guarded by the mutex of the ahead.
	at      int64         // the next byte
	reading bool          // a read uses the body
	sure    int64         // the end of what that read may bring
	since   time.Time     // of the first read
	news    chan struct{} // for those that wait for at; nil if there are none

	first  bool
	judged bool        // judge was called
	cut    bool        // its body goes on after to
	unused *time.Timer // drops the first lead if nothing reads it
}

// newAhead returns an ahead for f, whose first response has come after delay, by a request
// with ctx.
func newAhead(ctx context.Context, cancel context.CancelFunc, f *File, c config, delay time.Duration) *ahead {
	a := &ahead{f: f, block: c.block, depth: c.depth, patience: c.patience, delay: delay}
	a.ctx, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	a.next = int64(len(f.head))
	a.mu.Lock() // until unused is set
	defer a.mu.Unlock()
	if f.rest != nil {
		l := &lead{to: f.has, cancel: cancel, answered: make(chan struct{}), body: f.rest.Body, first: true}
		close(l.answered)
		l.unused = time.AfterFunc(a.patience, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			if l.at == 0 && !l.reading {
				a.fail(l)
			}
		})
		a.leads, a.next, f.rest = []*lead{l}, l.to, nil
	}
	return a
}

// read reads bytes from off on, of a lead if one has them. It may return fewer than
// len(b).
func (a *ahead) read(ctx context.Context, b []byte, off int64) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.began.IsZero() {
		a.began = time.Now()
	}
	a.reach = max(a.reach, off+int64(len(b)))
	for {
		a.ask(off)
		l, free := a.find(off)
		if l == nil { // what has failed, or was dropped
			l = a.begin(off, off+min(int64(len(b)), free))
		}
		if l.at == off && !l.reading {
			return a.readLead(ctx, l, b[:min(int64(len(b)), aheadPiece, l.to-off)])
		}
		if err := a.await(ctx, l); err != nil {
			return 0, err
		}
	}
}

// find returns the lead that has the byte at off, or is to have it. If there is none,
// free is how many bytes from off on no lead has, or will have.
func (a *ahead) find(off int64) (l *lead, free int64) {
	for _, l := range a.leads {
		switch {
		case off < l.at:
			return nil, l.at - off
		case off < l.to:
			return l, 0
		}
	}
	return nil, a.next - off
}

// await waits until a lead has moved, or is cut. If nothing reads it, it is dropped: its
// bytes are not read in order.
func (a *ahead) await(ctx context.Context, l *lead) error {
	if l.news == nil {
		l.news = make(chan struct{})
	}
	news, at, wait := l.news, l.at, a.patience
	if l.first && !l.judged {
		wait = min(wait, firstLook-time.Since(a.began))
	}
	a.mu.Unlock()
	defer a.mu.Lock()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-news:
		async.Progress(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		a.mu.Lock()
		defer a.mu.Unlock()
		switch {
		case wait < a.patience:
			a.judge(l)
		case l.at == at && !l.reading:
			a.drop(l)
		}
	}
	return nil
}

// readLead reads the next bytes of a lead.
func (a *ahead) readLead(ctx context.Context, l *lead, b []byte) (n int, err error) {
	l.reading, l.sure = true, l.at+int64(len(b))
	if l.unused != nil {
		l.unused.Stop()
	}
	defer context.AfterFunc(ctx, l.cancel)()
	a.answer(l)
	if l.since.IsZero() {
		l.since = time.Now()
	}
	a.mu.Unlock()
	if err = l.err; err == nil {
		n, err = readFull(ctx, l.body, b)
	}
	a.mu.Lock()
	l.at += int64(n)
	a.got += int64(n)
	done := err == nil && l.at == l.to
	if done && !l.cut {
		a.mu.Unlock()
		err = ended(l.body, l.to)
		a.mu.Lock()
	}
	l.reading = false
	switch {
	case done:
		a.speed = l.speed()
		a.drop(l)
	case err != nil:
		a.fail(l)
	case l.at >= a.block/8 || time.Since(a.began) > firstLook:
		a.judge(l)
	}
	l.wake()
	a.ask(l.at - 1)
	return n, err
}

// answer waits for the response of a lead. A server that has one response at a time may
// give that of another lead before, so others that are not read are dropped now and then.
func (a *ahead) answer(l *lead) {
	if l.has() {
		return
	}
	a.mu.Unlock()
	defer a.mu.Lock()
	t := time.NewTicker(a.patience)
	defer t.Stop()
	for {
		select {
		case <-l.answered:
			return
		case <-t.C:
		}
		a.mu.Lock()
		for _, other := range slices.Clone(a.leads) {
			if other.at == other.from && !other.reading && other.has() {
				a.drop(other)
			}
		}
		a.mu.Unlock()
	}
}

// judge cuts the first lead at the end of a block, where the response to another one can
// come before it, unless little is left there.
func (a *ahead) judge(l *lead) {
	if l.judged = true; a.depth == 1 || !l.first || l.cut {
		return
	}
	a.speed = l.speed()
	to := a.blockEnd(max(l.at+int64(a.speed*a.delay.Seconds()), l.sure-1))
	if l.to-to >= a.block/4 {
		l.to, l.cut, a.next = to, true, to
	}
}

// blockEnd returns the end of the block that has the byte at off.
func (a *ahead) blockEnd(off int64) int64 { return off - off%a.block + a.block }

// ask asks for leads, in any case for the one that has the byte at off. It does not ask
// for those whose turn comes much later than a response, because a server may close a
// connection that is not read.
func (a *ahead) ask(off int64) {
	rate := float64(a.got) / since(a.began)
	soon := a.reach + int64(4*rate*a.delay.Seconds())
	for a.next < a.f.object.size && (a.next <= off || a.next <= soon && len(a.leads) < a.depth) {
		blocks := 1 + int64(math.Sqrt(a.speed*a.delay.Seconds()/float64(a.block)))
		to := a.next + blocks*a.block
		if a.f.object.size-to < a.block/4 {
			to = a.f.object.size
		}
		a.begin(a.next, to)
		a.next = to
	}
}

// begin asks for the lead of the bytes from from to to.
func (a *ahead) begin(from, to int64) *lead {
	l := &lead{from: from, to: to, at: from, answered: make(chan struct{})}
	i := slices.IndexFunc(a.leads, func(l *lead) bool { return l.from >= to })
	if i < 0 {
		i = len(a.leads)
	}
	a.leads = slices.Insert(a.leads, i, l)
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(a.ctx)
	asked := time.Now()
	go func() {
		defer close(l.answered)
		resp, err := a.f.ask(ctx, fmt.Sprintf("%d-%d", l.from, to-1))
		if err == nil {
			if _, err = a.f.check(resp, l.from, to-1); err != nil {
				resp.Body.Close()
			}
		}
		if l.err = err; err != nil {
			return
		}
		l.body = resp.Body
		a.mu.Lock()
		a.delay = (a.delay + time.Since(asked)) / 2
		a.mu.Unlock()
	}()
	return l
}

// fail ends a lead. If it is the last, others begin with the next block: the rest of this
// one is left to the read that has failed, which may be retried after a wait.
func (a *ahead) fail(l *lead) {
	if l.to == a.next {
		a.next = min(l.to, a.blockEnd(l.at))
	}
	a.drop(l)
}

// drop ends a lead. What it has not delivered is requested when it is read.
func (a *ahead) drop(l *lead) {
	if i := slices.Index(a.leads, l); i >= 0 {
		a.leads = slices.Delete(a.leads, i, i+1)
	}
	if l.unused != nil {
		l.unused.Stop()
	}
	l.cancel()
	l.wake()
}

// speed returns how many bytes of the lead have come a second.
func (l *lead) speed() float64 { return float64(l.at-l.from) / since(l.since) }

// has reports whether the response of the lead has come.
func (l *lead) has() bool {
	select {
	case <-l.answered:
		return true
	default:
		return false
	}
}

// since returns how many seconds have passed, which is more than 0.
func since(t time.Time) float64 { return (time.Since(t) + 1).Seconds() }

// wake wakes those that wait for the lead.
func (l *lead) wake() {
	if l.news != nil {
		close(l.news)
		l.news = nil
	}
}

// close ends all leads.
func (a *ahead) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.leads) > 0 {
		a.drop(a.leads[0])
	}
	a.stop()
}
