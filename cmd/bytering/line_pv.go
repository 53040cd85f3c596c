package main

import (
	"fmt"
	"strings"
	"time"
)

// pvLine returns the line with the parts that were requested, in pv's order, in
// at most that many columns.
func (d *display) pvLine(st progress, columns int) string {
	var before, after []string
	add := func(to *[]string, shown bool, text string) {
		if shown {
			*to = append(*to, text)
		}
	}
	if d.name != "" {
		before = append(before, fmt.Sprintf("%9s:", label(d.name, max(9, columns/3))))
	}
	add(&before, d.bytes, sizeText(float64(st.n)))
	add(&before, d.fill, fmt.Sprintf("{%3d%%}", int(st.filled*100)))
	add(&before, d.timer, clockText(st.elapsed))
	add(&before, d.rate, "["+sizeText(st.rate)+"/s]")
	add(&before, d.average, "["+sizeText(st.average)+"/s]")
	add(&after, d.bar && st.size > 0, fmt.Sprintf("%2d%%", st.percent()))
	if left, ok := st.left(st.average); ok || st.size > 0 {
		add(&after, d.eta, st.ended("ETA "+clockText(left)))
		add(&after, d.arrival, "ETA "+arrival(st.now, left)) // which stays
	}
	if d.bar {
		room := columns - wide(strings.Join(append(before, after...), " ")) - 1
		if len(before) == 0 && len(after) == 0 {
			room++
		}
		if room > 2 {
			before = append(before, st.pvBar(room))
		}
	}
	// Parts that do not fit are left out, the last one first.
	parts := append(before, after...)
	for len(parts) > 1 && wide(strings.Join(parts, " ")) > columns {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, " ")
}

// ended returns text, or blanks of the same width at the end of the transfer.
func (st *progress) ended(text string) string {
	if st.done {
		return strings.Repeat(" ", len(text))
	}
	return text
}

// pvBar returns the bar, or if the size is unknown, a mark that moves with
// time.
func (st *progress) pvBar(columns int) string {
	if st.size > 0 {
		return barText(st.n, st.size, columns)
	}
	const mark = "<=>"
	way := columns - 2 - len(mark)
	if way < 1 {
		return barText(0, 1, columns)
	}
	at := int(st.elapsed/(500*time.Millisecond)) % (2 * way)
	at = min(at, 2*way-at)
	return "[" + strings.Repeat(" ", at) + mark + strings.Repeat(" ", way-at) + "]"
}

// arrival returns the time of day at which the transfer will be done, with the
// date if that is not today.
func arrival(now time.Time, left time.Duration) string {
	at := now.Add(left)
	if left > 6*time.Hour {
		return at.Format("2006-01-02 15:04:05")
	}
	return at.Format("15:04:05")
}

// numbers returns a line of pv -n: what was written, in percent or in bytes,
// after the seconds so far if these were requested.
func (d *display) numbers(st progress) string {
	text := fmt.Sprint(st.n)
	if !d.bytes && st.size > 0 {
		text = fmt.Sprint(st.percent())
	}
	if d.timer {
		text = fmt.Sprintf("%.4f %s", st.elapsed.Seconds(), text)
	}
	return text
}
