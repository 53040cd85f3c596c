package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// update in the environment makes TestDocs write what it would compare.
const update = "BYTERING_UPDATE"

const commandDoc = "../../docs/command.md"

// TestDocs holds the tables of docs/command.md, the man page and the completions
// against the tables of flags that they are made from.
func TestDocs(t *testing.T) {
	doc, err := os.ReadFile(commandDoc)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{
		commandDoc:                  generated(t, string(doc)),
		"share/man/man1/bytering.1": manPage(),
	}
	cmd := command(&parser{config: &config{}})
	addSubcommands(cmd)
	for name, make := range map[string]func(io.Writer) error{
		"share/bash-completion/completions/bytering":    func(w io.Writer) error { return cmd.GenBashCompletionV2(w, true) },
		"share/zsh/site-functions/_bytering":            cmd.GenZshCompletion,
		"share/fish/vendor_completions.d/bytering.fish": func(w io.Writer) error { return cmd.GenFishCompletion(w, true) },
	} {
		var b bytes.Buffer
		if err := make(&b); err != nil {
			t.Fatal(err)
		}
		made[name] = b.String()
	}
	for name, want := range made {
		if os.Getenv(update) != "" {
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(want), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s is not what the tables say (%v); make it with %s=1 go test -run TestDocs", name, err, update)
		}
	}
}

var generatedForm = regexp.MustCompile(`(?s)(<!-- made: (.*?) -->\n).*?(<!-- made -->)`)

// generated returns the text with its generated parts made anew.
func generated(t *testing.T, text string) string {
	parts := map[string]string{"exits": exitRows()}
	for _, as := range []program{asBytering, asMbuffer, asPv} {
		parts["flags of "+as.String()] = flagRows(as)
	}
	text = generatedForm.ReplaceAllStringFunc(text, func(part string) string {
		m := generatedForm.FindStringSubmatch(part)
		made, ok := parts[m[2]]
		if !ok {
			t.Errorf("%q is nothing that can be made, or is there twice", m[2])
		}
		delete(parts, m[2])
		return m[1] + made + m[3]
	})
	for name := range parts {
		t.Errorf("%s has no place for %s", commandDoc, name)
	}
	return text
}

// cell is text in a row of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func flagRows(as program) string {
	var b strings.Builder
	b.WriteString("| flag | state | what it does, or why not |\n| --- | --- | --- |\n")
	for _, f := range as.table() {
		fmt.Fprintf(&b, "| `%s` | %v | %s |\n", cell(f.usage()), f.state, cell(f.does))
	}
	return b.String()
}

func exitRows() string {
	var b strings.Builder
	b.WriteString("| code | when |\n| --- | --- |\n")
	for _, e := range exits {
		fmt.Fprintf(&b, "| %s | %s |\n", e.code, cell(strings.TrimPrefix(strings.TrimSuffix(e.means+": "+e.more, ": "), ": ")))
	}
	return b.String()
}

// roff is text in a man page.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "–", `\(en`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

func manPage() string {
	var b strings.Builder
	b.WriteString(`.TH BYTERING 1
.SH NAME
bytering \- copy inputs to outputs through a ring in memory
.SH SYNOPSIS
.B bytering
[flags] [FILE]...
.br
.B bytering links
DIR
.SH DESCRIPTION
Copies its inputs, one after the other, or standard input, to each of its
outputs, or standard output, through a ring in memory, so that neither side
waits for the other one's pauses.
.PP
`)
	for _, line := range strings.Split(sizes+addresses, "\n") {
		b.WriteString(roff(line) + "\n")
	}
	b.WriteString(`.PP
Called as mbuffer or pv it takes that program's flags.
.B bytering links
DIR makes links in DIR for that. It is a subcommand only as the first word: a
file of that name is ./links.
`)
	for _, as := range []program{asBytering, asMbuffer, asPv} {
		b.WriteString(map[program]string{asBytering: ".SH FLAGS\n", asMbuffer: ".SH FLAGS AS MBUFFER\n", asPv: ".SH FLAGS AS PV\n"}[as])
		for _, f := range as.table() {
			if f.group != "" {
				b.WriteString(".SS " + roff(f.group) + "\n")
			}
			fmt.Fprintf(&b, ".TP\n.B %s\n%s%s\n", roff(f.usage()), roff(f.does), roff(f.state.remark()))
		}
	}
	b.WriteString(".SH EXIT STATUS\n")
	for _, e := range exits {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(e.code), roff(strings.TrimPrefix(strings.TrimSuffix(e.means+": "+e.more, ": "), ": ")))
	}
	b.WriteString(".SH SEE ALSO\nmbuffer(1), pv(1), dd(1)\n")
	return b.String()
}

// TestCompletions asks shells what they would complete.
func TestCompletions(t *testing.T) {
	t.Setenv("PATH", commandDir(t)+":"+os.Getenv("PATH"))
	for shell, script := range map[string]string{
		"bash": `. /usr/share/bash-completion/bash_completion && . share/bash-completion/completions/bytering &&
			COMP_WORDS=(bytering --me) COMP_CWORD=1 COMP_LINE="bytering --me" COMP_POINT=13 COMP_TYPE=9 && __start_bytering bytering --me bytering && echo "${COMPREPLY[@]}"`,
		"fish": `source share/fish/vendor_completions.d/bytering.fish; complete -C "bytering --me"`,
		"zsh":  `zsh -n share/zsh/site-functions/_bytering && bytering __complete --me`,
	} {
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("no %s here", shell)
			continue
		}
		out, err := exec.Command(shell, "-c", script).CombinedOutput()
		if shell == "bash" && err != nil && strings.Contains(string(out), "No such file") {
			t.Logf("no completions of bash here: %s", out)
			continue
		}
		if err != nil || !strings.Contains(string(out), "--memory") {
			t.Errorf("%s: %v, %s", shell, err, out)
		}
	}
}

// TestManPage: groff has nothing to say of it.
func TestManPage(t *testing.T) {
	out, err := exec.Command("groff", "-man", "-Tutf8", "-ww", "-z", "share/man/man1/bytering.1").CombinedOutput()
	if _, missing := err.(*exec.Error); missing {
		t.Skip(err)
	}
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// commandDir returns a directory with the command under its names.
func commandDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(dir, "bytering")); err != nil {
		t.Skip(err)
	}
	if out, err := exec.Command(filepath.Join(dir, "bytering"), "links", dir).CombinedOutput(); err != nil {
		t.Fatalf("links: %v, %s", err, out)
	}
	return dir
}

var lineForm = regexp.MustCompile(`(?:^|[|'(] ?|; )(bytering|mbuffer|pv)((?: +[^|'#;)\x60\n]+)?)`)

// TestRecipes: the lines of the documentation are understood.
func TestRecipes(t *testing.T) {
	n := 0
	for _, name := range []string{"../../docs/recipes.md", commandDoc} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			line, is := strings.CutPrefix(line, "    ")
			for _, m := range lineForm.FindAllStringSubmatch(line, -1) {
				args := strings.Fields(m[2])
				if !is || len(args) > 0 && args[0] == "links" {
					continue
				}
				for i, arg := range args {
					args[i] = strings.NewReplacer("@disk.img", "@/dev/null", "@token", "@/dev/null").Replace(arg)
				}
				if _, err := parse(called(m[1]), args); err != nil {
					t.Errorf("%s: %s%s: %v", name, m[1], m[2], err)
				}
				n++
			}
		}
	}
	if n < 12 {
		t.Errorf("only %d lines were found", n)
	}
}
