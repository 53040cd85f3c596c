package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// stalledAfter is how long nothing must have been written before the line says
// "stalled".
const stalledAfter = 2 * time.Second

// A part is a piece of the line. If there is no room for all, those of the
// lowest rank stay.
type part struct {
	text string
	rank int
}

// ownLine returns bytering's own line, in at most that many columns.
func ownLine(name string, st progress, columns int) string {
	const bar = "\x00" // takes what room is left
	rate := sizeText(st.rate) + "/s"
	if st.still >= stalledAfter && !st.done {
		rate = "stalled " + st.still.Truncate(time.Second).String()
	}
	parts := []part{{sizeText(float64(st.n)), 0}}
	if name != "" {
		parts = append([]part{{name + ":", 4}}, parts...)
	}
	if st.size > 0 {
		parts = append(parts, part{bar, 8}, part{fmt.Sprintf("%3d%%", st.percent()), 2})
	}
	parts = append(parts, part{rate, 1}, part{"avg " + sizeText(st.average) + "/s", 7})
	parts = append(parts, part{fmt.Sprintf("ring %3d%%", int(st.filled*100)), 5})
	if !st.done {
		parts = append(parts, part{fmt.Sprintf("%-11s", slowText[st.slow]), 6})
	}
	if st.blockAge >= stalledAfter && !st.done {
		age := st.blockAge.Truncate(time.Second)
		parts = append(parts, part{fmt.Sprintf("at %s for %v", strings.TrimSpace(sizeText(float64(st.block))), age), 3})
	}
	if left, ok := st.left(st.rate); ok && !st.done {
		parts = append(parts, part{left.Round(time.Second).String() + " left", 3})
	}

	const least, most = 10, 40 // columns of a bar
	used, take := 0, make([]bool, len(parts))
	for rank := range 9 {
		for i, p := range parts {
			need := wide(p.text) + 1
			if p.text == bar {
				need = least + 1
			}
			if p.rank == rank && used+need <= columns {
				used, take[i] = used+need, true
			}
		}
	}
	var texts []string
	for i, p := range parts {
		switch {
		case !take[i]:
		case p.text == bar:
			texts = append(texts, barText(st.n, st.size, min(most, columns-used+least)))
		default:
			texts = append(texts, p.text)
		}
	}
	return strings.Join(texts, " ")
}

var slowText = map[string]string{"sink": "slow sink", "source": "slow source"}

// barText returns a bar of that many columns, filled in the ratio of n to size.
func barText(n, size int64, columns int) string {
	inside := max(0, columns-2)
	done := int(float64(inside) * min(1, float64(n)/float64(size)))
	if done == inside && inside > 0 {
		done--
	}
	return "[" + strings.Repeat("=", done) + strings.Repeat(">", min(1, inside)) + strings.Repeat(" ", max(0, inside-done-1)) + "]"
}

// sizeText returns a number of bytes in seven columns, with three digits, so that
// the text after it does not move.
func sizeText(n float64) string {
	unit := 0
	for ; n >= 1000 && (unit > 0 || n >= 1024) && unit < len(units)+2; unit++ {
		n /= 1024
	}
	digits := 0
	switch {
	case n < 9.995:
		digits = 2
	case n < 99.95:
		digits = 1
	}
	return fmt.Sprintf("%7s", strconv.FormatFloat(n, 'f', digits, 64)+[...]string{" B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}[unit])
}

// clockText returns a duration as hours, minutes and seconds, after the days if
// there are any.
func clockText(d time.Duration) string {
	s := int64(d / time.Second)
	text := fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	if days := s / 86400; days > 0 {
		text = fmt.Sprintf("%d:%02d:%02d:%02d", days, s/3600%24, s/60%60, s%60)
	}
	return text
}

// wide returns how many columns a text takes.
func wide(text string) (n int) {
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

// label returns a name without what a terminal can't show, in at most that many
// columns.
func label(name string, most int) string {
	var text strings.Builder
	ascii := !unicodeTerminal()
	for len(name) > 0 {
		r, n := utf8.DecodeRuneInString(name)
		switch part := name[:n]; {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&text, `\x%02x`, part[0])
		case !strconv.IsPrint(r) || ascii && r >= utf8.RuneSelf:
			text.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			text.WriteString(part)
		}
		name = name[n:]
	}
	return fit(text.String(), most)
}

// fit returns the beginning of text that fits in that many columns.
func fit(text string, columns int) string {
	for i, r := range text {
		if columns -= columnsOf(r); columns < 0 {
			return text[:i]
		}
	}
	return text
}

// unicodeTerminal reports whether the locale says that the terminal shows UTF-8.
func unicodeTerminal() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(os.Getenv(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

// columnsOf returns how many columns of a terminal a character takes.
func columnsOf(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	return 1
}
