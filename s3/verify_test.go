package s3

import (
	"testing"

	"github.com/minio/minio-go/v7"
)

// Every order in which pieces come gives the sum of all bytes.
func TestPiecesInAnyOrder(t *testing.T) {
	data := random(1000)
	h := minio.ChecksumCRC64NVME.Hasher()
	h.Write(data)
	var f found
	f.ChecksumCRC64NVME = base64Of(h.Sum(nil))
	cuts := []int{0, 100, 400, len(data)}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		v := newVerifier(f)
		for _, i := range order {
			if err := v.add(data[cuts[i]:cuts[i+1]], int64(cuts[i])); err != nil {
				t.Fatal(err)
			}
		}
		if by, err := v.verdict(int64(len(data))); err != nil || by == "" {
			t.Errorf("%v: %q, %v", order, by, err)
		}
	}
}
