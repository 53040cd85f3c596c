//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package memory

import (
	"math"
	"testing"
)

// No number of a plan overflows an int, and every size that fits is accepted,
// except for the last few bytes.
func TestPlansDoNotOverflow(t *testing.T) {
	for bits := range 4 {
		for _, align := range []int{1, page, HugePage, math.MaxInt/4 + 1, math.MaxInt/2 + 1} {
			o := Options{Mirror: bits&1 != 0, HugePages: bits&2 != 0, Align: align}
			times := 1 + bits&1
			for _, base := range []int{math.MaxInt, math.MaxInt / 2, math.MaxInt / 4, 1 << 28} {
				for _, less := range []int{0, 1, page - 1, page, page + 1, HugePage - 1, HugePage, HugePage + 1, 2*HugePage + page, 3 * HugePage, 5 * HugePage} {
					n := base - less
					p, ok := o.plan(n)
					if !ok {
						if n/2 <= (math.MaxInt/2-align/2-3*HugePage)/times {
							t.Errorf("%+v: %d bytes are refused", o, n)
						}
						continue
					}
					if p.size < n || p.span < p.size || p.total < p.span || p.total/times != p.span ||
						p.room < p.total || p.room-p.total < p.align || p.align < align ||
						o.Mirror && (p.span%sharedAlign() != 0 || p.align%sharedAlign() != 0) {
						t.Errorf("%+v: %d bytes give %+v", o, n, p)
					}
				}
			}
		}
	}
}
