//go:build aix || darwin || openbsd || solaris || windows

package netbuffers

import (
	"io"
	"net"

	"github.com/bytering/bytering/internal/netwrite"
)

func init() {
	netwrite.All = func(w io.Writer, bufs *[][]byte) (int64, error) {
		return (*net.Buffers)(bufs).WriteTo(w)
	}
}
