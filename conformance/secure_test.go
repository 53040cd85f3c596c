package conformance

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/bytering/bytering/memconn"
)

func tlsConfigs(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"mem"},
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&tls.Config{RootCAs: roots, ServerName: "mem"}
}

// TLS has its own half-close. A close-notify reaches the peer as the end of the
// stream, while the other direction goes on. A connection that ends inside a record
// is not an end of the stream.
func TestTLS(t *testing.T) {
	serverConfig, clientConfig := tlsConfigs(t)
	for name, opts := range buffers {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			a, b := memconn.Pipe(opts...)
			client, server := tls.Client(a, clientConfig), tls.Server(b, serverConfig)
			question, answer := bytes.Repeat([]byte("question"), 20_000), bytes.Repeat([]byte("answer"), 20_000)
			done := make(chan struct{})
			go func() {
				defer close(done)
				got, err := io.ReadAll(server)
				if !bytes.Equal(got, question) || err != nil {
					t.Errorf("the server read %d bytes, %v", len(got), err)
				}
				_, err = server.Write(answer)
				if err := errors.Join(err, server.Close()); err != nil {
					t.Error(err)
				}
			}()
			_, err := client.Write(question)
			if err := errors.Join(err, client.CloseWrite()); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(client); !bytes.Equal(got, answer) || err != nil {
				t.Errorf("the client read %d bytes, %v", len(got), err)
			}
			client.Close()
			<-done
		})
	}

	a, b := memconn.Pipe()
	client, server := tls.Client(a, clientConfig), tls.Server(b, serverConfig)
	go func() {
		server.Handshake()
		b.Write([]byte{23, 3, 3, 0, 99, 0}) // a record without its rest
		b.CloseWrite()
	}()
	if _, err := io.ReadAll(client); err != io.ErrUnexpectedEOF {
		t.Errorf("a stream that is cut off ends with %v", err)
	}
	a.Close()
	b.Close()
}

// An SSH session over memconn has a request, data both ways, standard error, and an
// exit status.
func TestSSH(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	serverConfig := &ssh.ServerConfig{NoClientAuth: true}
	serverConfig.AddHostKey(signer)
	for name, opts := range buffers {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			a, b := memconn.Pipe(opts...)
			served := make(chan error)
			go func() { served <- serveSSH(b, serverConfig) }()
			c, chans, reqs, err := ssh.NewClientConn(a, "mem", &ssh.ClientConfig{HostKeyCallback: ssh.FixedHostKey(signer.PublicKey())})
			if err != nil {
				t.Fatal(err)
			}
			client := ssh.NewClient(c, chans, reqs)
			session, err := client.NewSession()
			if err != nil {
				t.Fatal(err)
			}
			in := bytes.Repeat([]byte("0123456789"), 30_000)
			var out, stderr bytes.Buffer
			session.Stdin, session.Stdout, session.Stderr = bytes.NewReader(in), &out, &stderr
			err = session.Run("cat")
			var exit *ssh.ExitError
			if !errors.As(err, &exit) || exit.ExitStatus() != 3 {
				t.Errorf("Run: %v", err)
			}
			if !bytes.Equal(out.Bytes(), in) || stderr.String() != "cat ran" {
				t.Errorf("got %d bytes, standard error %q", out.Len(), &stderr)
			}
			if err := client.Close(); err != nil {
				t.Error(err)
			}
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}

// serveSSH echoes what one session sends and exits with status 3.
func serveSSH(nc net.Conn, config *ssh.ServerConfig) error {
	conn, chans, reqs, err := ssh.NewServerConn(nc, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	go ssh.DiscardRequests(reqs)
	for n := range chans {
		ch, requests, err := n.Accept()
		if err != nil {
			return err
		}
		for r := range requests {
			r.Reply(r.Type == "exec", nil)
			if r.Type != "exec" {
				continue
			}
			if _, err := io.Copy(ch, ch); err != nil {
				return err
			}
			io.WriteString(ch.Stderr(), "cat ran")
			ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{3}))
			if err := ch.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}
