package interleave

// The methods of sync/atomic that the ring could come to use.

func (x *Uint64) And(mask uint64) uint64 {
	return update(&x.object, &x.v, func(v uint64) uint64 { return v & mask })
}

func (x *Uint32) Swap(v uint32) uint32 {
	return update(&x.object, &x.v, func(uint32) uint32 { return v })
}

func (x *Uint32) Add(d uint32) uint32 {
	return update(&x.object, &x.v, func(v uint32) uint32 { return v + d }) + d
}

func (x *Uint32) And(mask uint32) uint32 {
	return update(&x.object, &x.v, func(v uint32) uint32 { return v & mask })
}

func (x *Int32) Swap(v int32) int32 {
	return update(&x.object, &x.v, func(int32) int32 { return v })
}

func (x *Int32) Or(mask int32) int32 {
	return update(&x.object, &x.v, func(v int32) int32 { return v | mask })
}

func (x *Int32) And(mask int32) int32 {
	return update(&x.object, &x.v, func(v int32) int32 { return v & mask })
}

func (x *Int32) CompareAndSwap(old, new int32) bool {
	return compareAndSwap(&x.object, &x.v, old, new)
}

// Raw returns the value behind the scheduler's back, for checks.
func (x *Pointer[E]) Raw() *E { return x.v }

func (x *Pointer[E]) Swap(v *E) *E {
	return update(&x.object, &x.v, func(*E) *E { return v })
}
