package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestHTTPRefused: what can't begin is said in a line without a secret.
func TestHTTPRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	header := func(text string) string { return "@" + writeFile(t, dir, fmt.Sprint(len(text)), text) }
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"-o", secretly("https://host")}, "HTTP is for inputs only"},
		{[]string{"-i", "http://planteduser:planted%zzpass@host/?plantedsig"}, "open http://...: "},
		{[]string{"-i", "HTTPS://planteduser:plantedpass@:/?plantedsig"}, "open https://"},
		{[]string{"--header", "Authorization: plantedtoken"}, "--header needs @FILE"},
		{[]string{"--header=X: plantedtoken"}, "--header needs @FILE"},
		{[]string{"--header", header("A: b\nplantedtoken")}, "line 2 is not a name, a colon and a value"},
		{[]string{"--header", header("A: b\n\nRange: plantedtoken")}, "line 3 is of Range, which bytering sets itself"},
		{[]string{"--header", "@" + dir + "/none"}, "no such file"},
		{[]string{"--cacert", dir + "/none"}, "no such file"},
		{[]string{"--cacert", strings.TrimPrefix(header("plantedtoken"), "@")}, "has no certificate in PEM"},
		{[]string{"--depth", "0"}, "not a number from 1 on"},
		{[]string{"--depth", "4", "-r", "1M"}, "--depth 4 does not go together with -r"},
		{[]string{"--depth", "1000000000", "-i", "/dev/null"}, "1000000001 times 256K: more than"},
		{[]string{"-i", secretly("http://127.0.0.1:1")}, "connection refused"},
	} {
		_, said := fetched(t, nil, exitRefused, tc.args...)
		contains(t, said, tc.says)
	}
	// Under the other names it is a file that is not there.
	for _, name := range []string{"mbuffer", "pv"} {
		p := prepare(t).as(name)
		p.Args = append(p.Args, map[string][]string{"mbuffer": {"-i"}, "pv": nil}[name]...)
		p.Args = append(p.Args, secretly("http://host"))
		p.start()
		if code, said := p.over(); code == exitDone || !strings.Contains(said, "no such file") {
			t.Errorf("%s: %d, %s", name, code, said)
		} else {
			unsaid(t, said)
		}
	}
	p := prepare(t, secretly("http://host")).as("mbuffer")
	p.start()
	if code, said := p.over(); code != exitRefused || !strings.Contains(said, "unexpected argument") {
		t.Errorf("%d, %s", code, said)
	} else {
		unsaid(t, said)
	}
}

// TestHTTPSecrets: what is secret reaches the host that it is for, from a file of
// headers, the URL, netrc by either way, and no other.
func TestHTTPSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	header := writeFile(t, dir, "header", "Authorization: Bearer plantedtoken\r\n\nX-Kept: yes\n")
	rc := writeFile(t, dir, "rc", "# machine 127.0.0.1 login no password no\nmachine other login a password b\n"+
		"macdef init\necho\nmachine 127.0.0.1 login no password no\n\nmachine 127.0.0.1 login someone password else\n"+
		"machine 127.0.0.1\n\tlogin planteduser\n\tpassword \"plantedpass\"\n")
	home := t.TempDir()
	writeFile(t, home, ".netrc", "default login planteduser password plantedpass")
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("planteduser:plantedpass"))
	for name, tc := range map[string]struct {
		env  []string
		user string
		args []string
		want string
	}{
		"header":        {[]string{"NETRC=" + rc}, "", []string{"--header", "@" + header}, "Bearer plantedtoken"},
		"URL":           {[]string{"NETRC=" + rc}, "planteduser:plantedpass@", nil, basic},
		"NETRC":         {[]string{"NETRC=" + rc}, "", nil, "Basic " + base64.StdEncoding.EncodeToString([]byte("someone:else"))},
		"netrc, a user": {[]string{"NETRC=" + rc}, "planteduser@", nil, basic},
		"netrc at home": {[]string{"HOME=" + home}, "", nil, basic},
		"no netrc":      {nil, "", nil, ""},
	} {
		other := serve(t, 300_000, nil)
		first := serve(t, 0, func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+"/there?plantedsig", http.StatusFound)
			return true
		})
		args := append([]string{"-q", "--depth", "2", "-i", strings.Replace(first.URL, "//", "//"+tc.user, 1)}, tc.args...)
		out, _ := fetched(t, tc.env, exitDone, args...)
		sameBytes(t, name, out, other.data)
		if got := first.requests()[0].Header.Get("Authorization"); got != tc.want {
			t.Errorf("%s: Authorization is %q, want %q", name, got, tc.want)
		}
		for _, r := range other.requests() {
			if got := r.Header.Get("Authorization"); got != "" {
				t.Errorf("%s: another host got %q", name, got)
			}
			if kept := r.Header.Get("X-Kept"); (kept != "") != (tc.args != nil) {
				t.Errorf("%s: X-Kept is %q", name, kept)
			}
		}
	}
	for name, says := range map[string]string{
		dir + "/none": "no such file",
		writeFile(t, dir, "odd", "machine 127.0.0.1 plantedtoken x"):              "something else",
		writeFile(t, dir, "cut", "machine 127.0.0.1 login plantedtoken password"): "nothing follows the last password",
		writeFile(t, dir, "quote", "machine 127.0.0.1 password \"plantedtoken"):   "a quote does not end",
	} {
		_, said := fetched(t, []string{"NETRC=" + name}, exitRefused, "-i", "http://127.0.0.1:1/")
		contains(t, said, says, name)
	}
}

// TestHTTPS: a certificate is held against the system's, or --cacert.
func TestHTTPS(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, 500_000)
	o.StartTLS()
	cert := o.certificate(t)
	for _, depth := range []string{"1", "3"} {
		out, _ := fetched(t, nil, exitDone, "-q", "--depth", depth, "--cacert", cert, secretly(o.URL))
		sameBytes(t, "depth "+depth, out, o.data)
	}
	_, said := fetched(t, nil, exitRefused, "-q", secretly(o.URL))
	contains(t, said, "/dir/object: tls: failed to verify certificate")
	if n := len(o.requests()); n > 4 {
		t.Errorf("%d requests", n)
	}
}

// TestHTTPProxy: requests go by the proxy of the environment, whose password no
// message has.
func TestHTTPProxy(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, 300_000)
	o.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.Host != "far.invalid" || r.Header.Get("Proxy-Authorization") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		return false
	}
	o.Start()
	proxy := "http_proxy=" + strings.Replace(o.URL, "//", "//planteduser:plantedpass@", 1)
	out, _ := fetched(t, []string{proxy}, exitDone, "-q", "--depth", "2", "http://far.invalid/object")
	sameBytes(t, "through a proxy", out, o.data)
	for _, env := range []string{"http_proxy=http://planteduser:plantedpass%zz@host", "http_proxy=http://planteduser:plantedpass@127.0.0.1:1"} {
		_, said := fetched(t, []string{env}, exitRefused, "http://far.invalid/object")
		contains(t, said, "open http://far.invalid/object: ")
	}
}
