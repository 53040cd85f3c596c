package main

import (
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// pictureDoc is the picture of the line, as terminals show it.
const pictureDoc = "../../docs/line.svg"

const pictureColumns = 100

// A moment is one screen of the picture.
type moment struct {
	caption string
	st      progress
	last    bool
}

var moments = []moment{
	{"while the reader is slow", progress{n: 919 << 20, size: 3 << 30, rate: 230 << 20, average: 278 << 20, filled: 1, slow: "sink"}, false},
	{"while nothing comes", progress{n: 2150 << 20, size: 3 << 30, average: 215 << 20, slow: "source", still: 6 * time.Second}, false},
	{"at the end", progress{n: 3 << 30, size: 3 << 30, elapsed: 11_636 * time.Millisecond, rate: 271 << 20, average: 264 << 20}, true},
}

// asPicture in the environment makes this program draw one of the moments on its
// standard error, by the code that the command draws by.
const asPicture = "BYTERING_TEST_AS_PICTURE"

func init() {
	for i, m := range moments {
		if os.Getenv(asPicture) == fmt.Sprint(i) {
			m.draw()
			os.Exit(0)
		}
	}
}

func (m moment) draw() {
	b := &bar{display: display{name: "tank"}, stderr: os.Stderr}
	b.draw(progress{size: m.st.size, slow: m.st.slow}, false) // over which the next one is drawn
	b.draw(m.st, m.last)
	if m.last {
		v := &voice{stderr: os.Stderr}
		v.report(&config{}, report{summary: summary(m.st.n, m.st.elapsed)})
	}
	time.Sleep(100 * time.Millisecond) // the terminal loses what it has not shown
}

// TestDocsPicture holds the picture against what the command's code draws on a
// terminal, and the form of that against the command itself.
func TestDocsPicture(t *testing.T) {
	size := pty.Winsize{Rows: 24, Cols: pictureColumns}
	rows := []string{"$ zfs send tank@now | bytering -m 1G -N tank --size 3G | ssh host zfs receive tank"}
	var drawn string
	for i, m := range moments {
		master, slave, err := pty.Open()
		if err != nil {
			t.Skip(err)
		}
		defer master.Close()
		if err := pty.Setsize(slave, &size); err != nil {
			t.Fatal(err)
		}
		p := prepare(t)
		p.Path, p.Args = os.Args[0], os.Args[:1]
		p.Env = append(os.Environ(), fmt.Sprint(asPicture, "=", i), "TERM=xterm")
		p.Stderr = slave
		p.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
		p.start()
		slave.Close()
		text, _ := io.ReadAll(master) // until EIO
		p.end(exitDone, 0)
		drawn = strings.TrimRight(screenOf(string(text), pictureColumns), " \n")
		rows = append(rows, "", "# "+m.caption)
		rows = append(rows, strings.Split(drawn, "\n")...)
	}

	picture := svg(rows)
	if os.Getenv(update) != "" {
		if err := os.WriteFile(pictureDoc, []byte(picture), 0o666); err != nil {
			t.Fatal(err)
		}
	} else if got, err := os.ReadFile(pictureDoc); err != nil || string(got) != picture {
		t.Errorf("%s is not what the command draws (%v); make it with %s=1 go test -run TestDocs", pictureDoc, err, update)
	}

	shown := onTerminal(t, size, nil, "-N", "tank", "-i", randomFile(t, 4096), "-o", os.DevNull)
	if got, want := numberless(screenOf(shown, pictureColumns)), numberless(drawn); got != want {
		t.Errorf("the command shows %q, the picture %q", got, want)
	}
}

// numberless leaves out of a line what differs from transfer to transfer.
func numberless(text string) string {
	text = regexp.MustCompile(`\[=*> *\]`).ReplaceAllString(text, "[BAR]")
	text = regexp.MustCompile(` *[0-9.]+ ?([KMGTPE]i)?B`).ReplaceAllString(text, " SIZE")
	text = regexp.MustCompile(` *[0-9.]+`).ReplaceAllString(text, " N")
	return strings.TrimRight(regexp.MustCompile(` *\n`).ReplaceAllString(text, "\n"), " \n")
}

// svg is the picture of a terminal that shows the rows. It has a background of its
// own, for pages that are light and for pages that are dark.
func svg(rows []string) string {
	const advance, high, margin = 7.8, 18, 14 // of a character, and around all
	width, height := pictureColumns*advance+2*margin, len(rows)*high+2*margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%d" viewBox="0 0 %[1]g %[2]d">
<title>The line of bytering on a terminal</title>
<style>text { font: 13px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #e6e6e6; white-space: pre } .dim { fill: #9aa4ad }</style>
<rect width="100%%" height="100%%" rx="8" fill="#1d2126"/>
`, width, height)
	for i, row := range rows {
		row = strings.TrimRight(row, " ")
		if row == "" {
			continue
		}
		class := ""
		if strings.HasPrefix(row, "#") {
			class = ` class="dim"`
		}
		fmt.Fprintf(&b, "<text%s x=\"%d\" y=\"%d\" textLength=\"%.1f\" xml:space=\"preserve\">%s</text>\n",
			class, margin, margin+i*high+13, advance*float64(wide(row)), html.EscapeString(row))
	}
	return b.String() + "</svg>\n"
}
