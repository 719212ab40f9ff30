package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// partEnd ends each part of a key. A zero byte within a part is written as 00 FF, so no part can look like two.
var partEnd = []byte{0x00, 0x01}

// path joins the parts of a key so that keys sort by their parts and no two lists of parts give the same key.
func path(parts ...string) []byte {
	size := 0
	for _, part := range parts {
		size += len(part) + len(partEnd)
	}
	key := make([]byte, 0, size+24) // room for a time and an id
	for _, part := range parts {
		for i := range len(part) {
			key = append(key, part[i])
			if part[i] == 0 {
				key = append(key, 0xFF)
			}
		}
		key = append(key, partEnd...)
	}
	return key
}

// splitPath gives back the first part of a key and what follows it.
func splitPath(key []byte) (part string, rest []byte, ok bool) {
	written, rest, ok := bytes.Cut(key, partEnd)
	return string(bytes.ReplaceAll(written, []byte{0x00, 0xFF}, []byte{0x00})), rest, ok
}

// afterPrefix is the first key behind all keys that begin with prefix, nil when there is none.
func afterPrefix(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xFF {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}

func appendTime(key []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(key, nanoseconds(t))
}

// appendNewestFirst turns the bits, so that the newest sorts first.
func appendNewestFirst(key []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(key, ^nanoseconds(t))
}

// nanoseconds takes every time before 1970 as 1970: nothing that is stored is older.
func nanoseconds(t time.Time) uint64 {
	if t.Unix() < 0 {
		return 0
	}
	return uint64(t.UnixNano())
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// keyName writes a key as people can read it, for errors.
func keyName(b bucket, key []byte) string {
	switch {
	case b == events && len(key) == 8:
		return fmt.Sprintf("%s/%d", b, binary.BigEndian.Uint64(key))
	case b == refs:
		key = bytes.TrimSuffix(bytes.ReplaceAll(key, partEnd, []byte("|")), []byte("|"))
	}
	for _, c := range key {
		if c < 0x20 || c > 0x7E {
			return fmt.Sprintf("%s/%q", b, key)
		}
	}
	return b.String() + "/" + string(key)
}
