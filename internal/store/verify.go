package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"elevate/internal/pim"
)

// Anchor names an event and its chain MAC: who kept it elsewhere can tell later that nothing before it was changed.
type Anchor struct {
	Seq  uint64 `json:"seq"`
	Head string `json:"head"` // chain MAC in hex
}

// String is the anchor as ParseAnchor reads it.
func (a Anchor) String() string { return fmt.Sprintf("%d:%s", a.Seq, a.Head) }

// ParseAnchor reads an anchor as it was printed, and nothing else: half a code would prove nothing.
func ParseAnchor(text string) (Anchor, error) {
	number, code, _ := strings.Cut(text, ":")
	seq, err := strconv.ParseUint(number, 10, 64)
	mac, err2 := hex.DecodeString(code)
	a := Anchor{Seq: seq, Head: code}
	if err != nil || err2 != nil || seq == 0 || len(mac) != headSize-1 || a.String() != text || hex.EncodeToString(mac) != code {
		return Anchor{}, fmt.Errorf("an anchor is the number of an event, a colon and its code of %d hexadecimal digits, as `audit verify` and the anchor in the chat show it", 2*(headSize-1))
	}
	return a, nil
}

// Proof is what a verification proved. With an error beside it, it is what was proved before that.
type Proof struct {
	// Events is how many events were found unbroken from the first on; Head is the last of them.
	Events uint64
	Head   Anchor
	// Anchored says that the chain goes through the anchor that was given.
	Anchored bool
	// From and Through are the events that the stream has, equal to the file's. Repeated counts lines for an event that came
	// before (after a crash events are written again), Skipped the lines that are no events.
	From, Through     uint64
	Repeated, Skipped int
	// Wrong names the first record that is not as it was written.
	Wrong string
}

// differs is the error of an event that the file has otherwise than what it was compared with.
func (p *Proof) differs(seq uint64, format string, args ...any) error {
	p.Wrong = keyName(events, seqKey(seq))
	return fmt.Errorf(format, args...)
}

// Head returns the newest event's anchor, zero when there is none.
func (db *DB) Head() (Anchor, error) {
	var head Anchor
	err := db.View(func(tx *Tx) error {
		c, err := tx.theChain()
		head = Anchor{Seq: c.Seq, Head: hex.EncodeToString(c.MAC)}
		return err
	})
	return head, err
}

// Verify checks the chain of events from the first to the newest. An anchor that is not zero must lie on it, and a
// stream that is not nil must be what went to the sink: at least one event, all without a gap, equal to the file's.
func (db *DB) Verify(ctx context.Context, anchor Anchor, stream io.Reader) (Proof, error) {
	var p Proof
	err := db.verifyChain(ctx, anchor, &p)
	if err == nil && stream != nil {
		err = db.verifyStream(ctx, stream, &p)
	}
	if wrong, ok := errors.AsType[*Tampered](err); ok {
		p.Wrong = wrong.Record
	}
	return p, err
}

func (db *DB) verifyChain(ctx context.Context, anchor Anchor, p *Proof) error {
	err := db.eachEvent(ctx, 1, func(l link) error {
		p.Events, p.Head = l.seq, Anchor{Seq: l.seq, Head: hex.EncodeToString(l.mac)}
		if l.seq != anchor.Seq {
			return nil
		}
		if p.Head.Head != anchor.Head {
			return p.differs(l.seq, "event %d is not the one of the anchor: the trail was written anew since, or the anchor is another trail's", l.seq)
		}
		p.Anchored = true
		return nil
	})
	if err == nil && anchor.Seq > p.Events {
		err = p.differs(p.Events+1, "the anchor is event %d and the chain ends with event %d: its newest events were taken away, an older state file is in this one's place, or the anchor is another trail's", anchor.Seq, p.Events)
	}
	return err
}

// exported is a line of the sink or of an export.
type exported struct {
	pim.Event
	MAC string `json:"mac"`
}

// maxLine is the longest line that a stream may have.
const maxLine = 1 << 20

func (db *DB) verifyStream(ctx context.Context, stream io.Reader, p *Proof) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if err := ctx.Err(); err != nil {
			return err
		}
		var line exported
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue // a start after a crash begins a new line
		}
		// What is no event proves nothing and disproves nothing: a line that a crash cut off, or another program's.
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Seq == 0 || line.MAC == "" {
			p.Skipped++
			continue
		}
		if line.Seq > p.Events {
			return db.laterThan(line, p)
		}
		if err := db.verifyLine(line, p); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the stream: %w", err)
	}
	return p.compared()
}

// compared refuses to call nothing a proof.
func (p *Proof) compared() error {
	if p.From > 0 {
		return nil
	}
	return fmt.Errorf("the stream has no event of this chain (%d lines that are none of its events), so nothing was compared. Give it what the audit sink or `audit export` wrote", p.Skipped)
}

// laterThan ends a comparison at an event that the chain did not have when it was checked: it was appended meanwhile, or
// the file has lost its end.
func (db *DB) laterThan(line exported, p *Proof) error {
	head, err := db.Head()
	switch {
	case err != nil:
		return err
	case head.Seq < line.Seq:
		return p.differs(line.Seq, "the stream has event %d and the chain ends with event %d: its newest events were taken away, an older state file is in this one's place, or the stream is another trail's", line.Seq, head.Seq)
	}
	return p.compared()
}

func (db *DB) verifyLine(line exported, p *Proof) error {
	if p.Through != 0 && line.Seq > p.Through+1 {
		return p.differs(p.Through+1, "the stream lacks event %d, which the chain has", p.Through+1)
	}
	same, err := db.sameEvent(line)
	if err != nil {
		return err
	}
	if !same {
		return p.differs(line.Seq, "event %d differs between the stream and the chain", line.Seq)
	}
	switch {
	case p.From == 0:
		p.From, p.Through = line.Seq, line.Seq
	case line.Seq == p.Through+1:
		p.Through = line.Seq
	default:
		p.Repeated++
	}
	return nil
}

// sameEvent compares by what both say, not by bytes: who collects logs may write JSON anew and add to it.
func (db *DB) sameEvent(line exported) (bool, error) {
	same := false
	err := db.View(func(tx *Tx) error {
		value := tx.get(events, seqKey(line.Seq))
		if len(value) < headSize {
			return tampered(events, seqKey(line.Seq))
		}
		kept, err := link{seq: line.Seq, content: value[headSize:]}.event()
		if err != nil {
			return err
		}
		ours, err := json.Marshal(kept)
		if err != nil {
			return err
		}
		theirs, err := json.Marshal(line.Event)
		same = bytes.Equal(ours, theirs) && hex.EncodeToString(value[1:headSize]) == line.MAC
		return err
	})
	return same, err
}
