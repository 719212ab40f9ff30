package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// sink writes events as JSON lines and knows how far it came.
type sink struct {
	w    io.Writer // nil: there is none
	told uint64    // the newest event that is wholly written
	rest []byte    // what remains of a line of which a part was written
}

// write writes whole lines of the events that follow the last one told.
func (s *sink) write(lines []byte) error {
	if len(s.rest) > 0 {
		n, err := s.w.Write(s.rest)
		if err == nil && n < len(s.rest) {
			err = io.ErrShortWrite
		}
		s.rest = s.rest[min(n, len(s.rest)):]
		if err != nil {
			return err
		}
		s.told++
		lines = lines[bytes.IndexByte(lines, '\n')+1:]
	}
	if len(lines) == 0 {
		return nil
	}
	n, err := s.w.Write(lines)
	if err == nil && n < len(lines) {
		err = io.ErrShortWrite
	}
	n = min(n, len(lines))
	s.told += uint64(bytes.Count(lines[:n], []byte{'\n'})) //nolint:gosec // a count is not negative
	if err != nil && n > 0 && lines[n-1] != '\n' {
		s.rest = bytes.Clone(lines[n : n+bytes.IndexByte(lines[n:], '\n')+1])
	}
	return err
}

// separate begins a new line when the process before this one may have been killed within one.
func (s *sink) separate(c chain) error {
	if s.told == c.Seq {
		return nil
	}
	_, err := s.w.Write([]byte{'\n'})
	return err
}

// tellAtOnce is how many events are written to the sink at a time when it is behind.
const tellAtOnce = 500

// catchUp writes the events that the sink lacks, for as long as a commit waits for the sink.
func (db *DB) catchUp() error {
	enough := time.After(sinkPatience)
	for {
		select {
		case <-enough:
			return errSlowSink
		default:
		}
		var lines []byte
		from := db.sink.told + 1
		err := db.View(func(tx *Tx) error {
			lines = nil
			return tx.verified(from, tellAtOnce, func(e link) error {
				lines = e.appendLine(lines)
				return nil
			})
		})
		if err != nil || len(lines) == 0 {
			return err
		}
		if err := db.sink.write(lines); err != nil {
			return err
		}
	}
}

// noteSink keeps how far the sink came, so that the next start does not repeat what was told.
func (db *DB) noteSink() {
	tx, failed, err := db.attempt([]*call{{fn: func(tx *Tx) error {
		c, err := tx.loadChain()
		if err != nil || c.Told == tx.db.sink.told {
			return err
		}
		return tx.saveChain(c)
	}}})
	if err != nil || failed != nil || tx == nil {
		db.log.Warn("sink_position_not_kept", "error", err) // the next start writes some events once more, which is allowed
	}
}

// appendLine writes the event as it goes to the sink and into an export: its JSON with its chain MAC as last member.
func (e link) appendLine(lines []byte) []byte {
	lines = append(lines, e.content[:len(e.content)-1]...)
	lines = append(lines, `,"mac":"`...)
	lines = hex.AppendEncode(lines, e.mac)
	return append(lines, "\"}\n"...)
}

// Export writes all events as they went to the sink, one JSON object a line.
func (db *DB) Export(ctx context.Context, w io.Writer) error {
	return db.eachEvent(ctx, 1, func(e link) error {
		if _, err := w.Write(e.appendLine(nil)); err != nil {
			return fmt.Errorf("writing event %d: %w", e.seq, err)
		}
		return nil
	})
}
