package bytering

// startAt lets the cursors begin at n, to see them come round.
func startAt(n uint64) Option {
	return func(c *config) { c.start = n }
}
