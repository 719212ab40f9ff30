package store

import (
	"bytes"
	"errors"
	"io"
	"time"
)

// sinkPatience is how long a commit waits for the sink. Whoever reads the events may hang, as a pipe that nobody
// empties does; people's answers must not hang with them.
const sinkPatience = 250 * time.Millisecond

var errSlowSink = errors.New("the audit sink does not take what is written to it")

// patience is a writer that waits for another one for a while only. A write that takes longer goes on by itself, and
// what it brings counts for the next one, which has to begin with the same bytes, as the sink's does.
type patience struct {
	w     io.Writer
	under chan written // of the write that goes on by itself; nil: there is none
	given []byte       // what that one was given
	done  []byte       // what was written after nobody waited for it any more
	late  error        // and how that ended
}

type written struct {
	n   int
	err error
}

// Write is io.Writer's. With errSlowSink the rest may still be written later.
func (p *patience) Write(b []byte) (int, error) {
	if p.under != nil {
		select {
		case r := <-p.under:
			p.under, p.done, p.late = nil, p.given[:r.n], r.err
		default:
			return 0, errSlowSink
		}
	}
	n := p.credit(b)
	if err := p.late; err != nil {
		p.late = nil
		return n, err
	}
	if n == len(b) {
		return n, nil
	}
	r := p.begin(b[n:])
	return n + r.n, r.err
}

// credit says how much of what comes was written before.
func (p *patience) credit(b []byte) int {
	n := min(len(b), len(p.done))
	if !bytes.Equal(b[:n], p.done[:n]) {
		n, p.done = 0, nil // unreachable: events do not change; and to tell one twice is allowed
	}
	p.done = p.done[n:]
	return n
}

func (p *patience) begin(b []byte) written {
	// The caller may use b again.
	p.given, p.under = bytes.Clone(b), make(chan written, 1)
	go func(w io.Writer, given []byte, ended chan<- written) {
		n, err := w.Write(given)
		if err == nil && n < len(given) {
			err = io.ErrShortWrite
		}
		ended <- written{min(n, len(given)), err}
	}(p.w, p.given, p.under)
	select {
	case r := <-p.under:
		p.under = nil
		return r
	case <-time.After(sinkPatience):
		return written{0, errSlowSink}
	}
}
