package interleave

// A kind is that of an operation.
type kind uint8

const (
	opStart kind = iota
	opLoad
	opStore
	opUpdate // a read-modify-write
	opTouchRead
	opTouchWrite
	opPost
	opTake
	opStep
	opSpin
)

func (k kind) changes() bool { return k != opLoad && k != opTouchRead && k != opSpin }

// An op is what a thread is about to do.
type op struct {
	kind  kind
	obj   *object
	bytes []byte // of a touch
	token *Token
	done  <-chan struct{} // of a Take
}

// independent reports whether the order of two operations of different threads is
// known to make no difference.
func independent(a, b op) bool {
	if !a.plain() || !b.plain() {
		return false
	}
	if a.kind.touches() || b.kind.touches() {
		return a.kind != b.kind && !(a.kind.touches() && b.kind.touches()) ||
			(a.kind == opTouchRead && b.kind == opTouchRead) || !overlap(a.bytes, b.bytes)
	}
	return a.obj != b.obj || (a.kind == opLoad && b.kind == opLoad)
}

func (k kind) touches() bool { return k == opTouchRead || k == opTouchWrite }

// plain reports whether the operation acts on its object alone. A Take with a done
// channel does not, because any other operation may close that channel.
func (o op) plain() bool {
	switch o.kind {
	case opStart, opStep, opSpin:
		return false
	case opTake:
		return o.done == nil
	}
	return true
}

// An object is the identity of a word and the clock that it hands on.
type object struct {
	released vectorClock
	world    *T
}

// renew forgets what another schedule left.
func (o *object) renew(t *T) {
	if o.world != t {
		o.world, o.released = t, vectorClock{}
	}
}

// memoryObject stands for all ring memory.
var memoryObject object

// A Uint64 is an atomic.Uint64 that the scheduler interleaves.
type Uint64 struct {
	object
	v      uint64
	stores []uint64
}

// Raw returns the value without a scheduling point, for checks.
func (x *Uint64) Raw() uint64 { return x.v }

func (x *Uint64) Load() uint64 { load(&x.object, &x.v); return x.v }

// Armings returns how many stores had the bit, for checks.
func (x *Uint64) Armings(bit uint64) (n int) {
	for _, v := range x.stores {
		if v&bit != 0 {
			n++
		}
	}
	return n
}

func (x *Uint64) Store(v uint64) {
	store(&x.object, &x.v, v)
	x.stores = append(x.stores, v)
}

func (x *Uint64) CompareAndSwap(old, new uint64) bool {
	return compareAndSwap(&x.object, &x.v, old, new)
}

func (x *Uint64) Swap(v uint64) uint64 {
	return update(&x.object, &x.v, func(uint64) uint64 { return v })
}

func (x *Uint64) Or(mask uint64) uint64 {
	return update(&x.object, &x.v, func(v uint64) uint64 { return v | mask })
}

func (x *Uint64) Add(d uint64) uint64 {
	return update(&x.object, &x.v, func(v uint64) uint64 { return v + d }) + d
}

// A Uint32 is an atomic.Uint32 that the scheduler interleaves.
type Uint32 struct {
	object
	v uint32
}

// Raw returns the value without a scheduling point, for checks.
func (x *Uint32) Raw() uint32 { return x.v }

func (x *Uint32) Load() uint32 { load(&x.object, &x.v); return x.v }

func (x *Uint32) Store(v uint32) { store(&x.object, &x.v, v) }

func (x *Uint32) CompareAndSwap(old, new uint32) bool {
	return compareAndSwap(&x.object, &x.v, old, new)
}

func (x *Uint32) Add(d uint32) uint32 {
	return update(&x.object, &x.v, func(v uint32) uint32 { return v + d }) + d
}

func (x *Uint32) Or(mask uint32) uint32 {
	return update(&x.object, &x.v, func(v uint32) uint32 { return v | mask })
}

// An Int32 is an atomic.Int32 that the scheduler interleaves.
type Int32 struct {
	object
	v int32
}

// Raw returns the value without a scheduling point, for checks.
func (x *Int32) Raw() int32 { return x.v }

func (x *Int32) Load() int32 { load(&x.object, &x.v); return x.v }

func (x *Int32) Store(v int32) { store(&x.object, &x.v, v) }

func (x *Int32) Add(d int32) int32 {
	return update(&x.object, &x.v, func(v int32) int32 { return v + d }) + d
}

// A Pointer is an atomic.Pointer that the scheduler interleaves.
type Pointer[E any] struct {
	object
	v *E
}

func (x *Pointer[E]) Load() *E { load(&x.object, &x.v); return x.v }

func (x *Pointer[E]) Store(v *E) { store(&x.object, &x.v, v) }

func (x *Pointer[E]) CompareAndSwap(old, new *E) bool {
	return compareAndSwap(&x.object, &x.v, old, new)
}

func load[V any](o *object, p *V) {
	if th := point(op{kind: opLoad, obj: o}); th != nil {
		th.clock.join(&o.released)
		note(th, "load", o, "%v", p)
	}
}

func store[V any](o *object, p *V, v V) {
	th := point(op{kind: opStore, obj: o})
	if th != nil {
		o.released = th.clock
		th.tick()
		note(th, "store", o, "%v -> %v", p, &v)
	}
	*p = v
}

func update[V any](o *object, p *V, f func(V) V) (old V) {
	th := point(op{kind: opUpdate, obj: o})
	old = *p
	v := f(old)
	if th != nil {
		th.clock.join(&o.released)
		o.released = th.clock
		th.tick()
		note(th, "update", o, "%v -> %v", p, &v)
	}
	*p = v
	return old
}

func compareAndSwap[V comparable](o *object, p *V, old, v V) bool {
	th := point(op{kind: opUpdate, obj: o})
	ok := *p == old
	if th != nil {
		th.clock.join(&o.released)
		if ok {
			o.released = th.clock
			th.tick()
			note(th, "swap", o, "%v -> %v", p, &v)
		} else {
			note(th, "no swap", o, "%v, not %v", p, &old)
		}
	}
	if ok {
		*p = v
	}
	return ok
}

// A Token is a channel of capacity 1.
type Token struct {
	object
	full  bool
	Posts int // the number of Posts, including those that found it there
	Timed int // how many of these were a Timer's
}

// Post puts the token there, unless it is there already.
func (k *Token) Post() {
	th := point(op{kind: opPost, obj: &k.object, token: k})
	if th != nil {
		if !k.full {
			k.released = th.clock
		}
		th.tick()
		note(th, "post", &k.object, "%v -> true", &k.full, nil)
	}
	k.full = true
	k.Posts++
}

// Drain takes the token away if it is there.
func (k *Token) Drain() {
	th := point(op{kind: opUpdate, obj: &k.object})
	if th != nil {
		th.clock.join(&k.released)
		note(th, "drain", &k.object, "%v -> false", &k.full, nil)
	}
	k.full = false
}

// Full reports whether the token is there, without a scheduling point.
func (k *Token) Full() bool { return k.full }

// Take sleeps until the token is there or done is closed. It reports whether it has
// taken the token.
func (k *Token) Take(done <-chan struct{}) bool {
	th := point(op{kind: opTake, obj: &k.object, token: k, done: done})
	if th == nil {
		if !k.full {
			if world != nil && world.stopped {
				panic(unwound{})
			}
			panic("interleave: sleep outside of an exploration")
		}
		k.full = false
		return true
	}
	if !th.result {
		th.clock.join(&world.stepped)
		note(th, "cancelled", &k.object, "%v", &k.full)
		return false
	}
	th.clock.join(&k.released)
	note(th, "take", &k.object, "%v -> false", &k.full, nil)
	k.full = false
	return true
}

// Step runs f as one operation. f may do anything that contains no operation, such
// as cancel a context.
func (t *T) Step(name string, f func()) {
	if th := point(op{kind: opStep}); th != nil {
		t.stepped.join(&th.clock)
		th.tick()
		note[int](th, name, nil, "")
	}
	f()
}

// Spin stands in a loop that spins. It sleeps until another thread has changed
// something since this thread's last Spin returned. So no change is missed that
// comes after a load in the loop.
func Spin() {
	t := world
	if t != nil && t.stopped {
		panic(unwound{}) // what it waits for will not come
	}
	if t != nil && t.current != nil {
		point(op{kind: opSpin})
	}
}
