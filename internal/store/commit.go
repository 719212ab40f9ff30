package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"elevate/internal/pim"
)

// maxGroup is how many updates are committed together at most. More would save little of the disk's time, and all of them
// would wait for each other's work.
const maxGroup = 32

// retryAfter is how often a sink or a disk that failed is tried again when nothing else happens, and retrySoon when the
// sink took some of what it lacks.
const (
	retryAfter = time.Second
	retrySoon  = 10 * time.Millisecond
)

// call is an update that waits.
type call struct {
	fn   func(*Tx) error
	err  error
	done chan struct{}
}

// Update calls fn with a transaction and commits what it did, together with the other updates that wait. Nil means that
// it is on the disk, and that its events are on the sink unless that fails (SinkBehind). When fn returns an error or
// panics, what it did is undone and nobody else's. fn may run twice, so it must set all it gives out, each time; it
// must not call Update or View, nor wait for anything.
//
// An error that is not fn's own is of kind pim.Unavailable: nothing was stored. After a failing disk it can be
// pim.AnswerLost: nobody knows.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	if db.calls == nil {
		return pim.Errorf(pim.Unavailable, "The state file was opened to read only. Nothing was stored.")
	}
	c := &call{fn: fn, done: make(chan struct{})}
	select {
	case db.calls <- c:
		<-c.done
		return c.err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", pim.Errorf(pim.Unavailable, "Elevate is too busy at the moment. Nothing was stored; try again."), ctx.Err())
	case <-db.closing:
		return pim.Errorf(pim.Unavailable, "Elevate is stopping. Nothing was stored; try again in a minute.")
	}
}

// commitLoop is the one goroutine that writes: to the file, then to the sink.
func (db *DB) commitLoop() {
	finished := false
	defer func() {
		if finished {
			close(db.stopped)
			return
		}
		// An fn has ended the goroutine (runtime.Goexit, as t.FailNow does): its group was answered, others still come.
		go db.commitLoop()
	}()
	debug.SetPanicOnFault(true) // as in View
	wait := retryAfter
	for {
		var retry <-chan time.Time
		if db.behind.Load() || db.unwritten.Load() {
			retry = time.After(wait)
		}
		select {
		case first := <-db.calls:
			db.commit(db.gather(first))
		case <-retry:
			before := db.sink.told
			db.writeAgain()
			db.tell(nil)
			if wait = retryAfter; db.sink.told > before {
				wait = retrySoon
			}
		case <-db.closing:
			finished = true
			return
		}
	}
}

// gather takes what waits. It waits for nobody: while a group is on its way to the disk, the next one comes together.
func (db *DB) gather(first *call) []*call {
	group := []*call{first}
	for len(group) < maxGroup {
		select {
		case c := <-db.calls:
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

// commit carries a group out and answers all of it.
func (db *DB) commit(group []*call) {
	answered := false
	defer func() {
		for _, c := range group {
			if !answered {
				c.err = notStored(errors.New("an update ended the goroutine that commits"))
			}
			close(c.done)
		}
	}()
	for rest := group; ; {
		tx, failed, err := db.attempt(rest)
		switch {
		case failed != nil:
			rest = slices.DeleteFunc(slices.Clone(rest), func(c *call) bool { return c == failed })
			continue
		case err != nil:
			for _, c := range rest {
				c.err = err
			}
			db.unwritten.Store(true)
			db.log.Error("state_not_written", "error", err)
		case tx.writes > 0:
			db.writeAgain()
			db.tell(tx)
		}
		answered = true
		return
	}
}

// attempt runs a group in one transaction. When one fails that has written, the whole is undone and failed names it.
func (db *DB) attempt(group []*call) (tx *Tx, failed *call, err error) {
	if err := db.inPlace(); err != nil {
		return nil, nil, notStored(err)
	}
	bbt, err := db.bolt.Begin(true)
	if err != nil {
		return nil, nil, notStored(err)
	}
	defer func() {
		// Of all that runs here only bbolt itself can panic, over pages that were damaged.
		if p := recover(); p != nil {
			tx, failed, err = nil, nil, notStored(fmt.Errorf("%w: %v", errDamaged, p))
		}
		if rolled := bbt.Rollback(); rolled != nil && !errors.Is(rolled, berrors.ErrTxClosed) && err == nil {
			err = notStored(rolled)
		}
	}()
	tx = &Tx{db: db, bbt: bbt}
	for _, c := range group {
		before := tx.writes
		if c.err = tx.run(c.fn); c.err != nil && tx.writes > before {
			return nil, c, nil
		}
	}
	if tx.writes == 0 {
		return tx, nil, nil
	}
	if err := tx.finish(); err != nil {
		return nil, nil, notStored(err)
	}
	return tx, nil, db.settle(tx)
}

// room is how much a disk that failed has to take before it counts as working: what many updates at once write. A single
// small record often fits into what is free inside the file, where the next real one does not, and what is said to people
// in between could not be noted.
const room = 256 << 10

// roomKept is the note that takes it up, for a moment.
const roomKept = "room"

// writeAgain tries a disk that failed with a record of some size: who is not asked any more because Elevate is not ready
// would otherwise never find out that it could be.
func (db *DB) writeAgain() {
	if !db.unwritten.Load() {
		return
	}
	for _, try := range []func(*Tx) error{
		func(tx *Tx) error { return tx.PutMeta(roomKept, make([]byte, room*3/4)) }, // a third more as it is written
		func(tx *Tx) error { return tx.DeleteMeta(roomKept) },
	} {
		if _, failed, err := db.attempt([]*call{{fn: try}}); err != nil || failed != nil {
			return
		}
	}
	db.unwritten.Store(false)
	db.log.Info("state_written_again")
}

// ErrNotStored is in the error of an update that nothing is known to be wrong with but the disk.
var ErrNotStored = errors.New("the state file was not written")

func notStored(cause error) error {
	return fmt.Errorf("%w: %w: %w", pim.Errorf(pim.Unavailable, "Elevate could not write its state file, so nothing was stored and nothing was asked for. Try again later, and tell an administrator."), ErrNotStored, cause)
}

// settle commits. When the disk fails at the very last step, bbolt reports an error although the transaction is already
// what everybody reads: then an empty transaction behind it makes it durable, or nobody knows what a restart would find.
func (db *DB) settle(tx *Tx) error {
	id := tx.bbt.ID()
	err := db.commitBolt(tx.bbt)
	if err == nil {
		db.doubtful = false
		return nil
	}
	if !db.visible(id) {
		return notStored(err)
	}
	db.doubtful = true
	if db.confirm() {
		return nil
	}
	db.held = append(db.held, tx.due...)
	db.behind.Store(true)
	return fmt.Errorf("%w: %w: %w", pim.Errorf(pim.AnswerLost, "The disk of Elevate's state file failed, so it is not known whether this was stored. Look at the status before you try again."), ErrNotStored, err)
}

// confirm commits an empty transaction behind one that is in doubt, and says whether nothing is in doubt any more.
func (db *DB) confirm() bool {
	if !db.doubtful {
		return true
	}
	bbt, err := db.bolt.Begin(true)
	if err != nil {
		return false
	}
	if err := db.commitBolt(bbt); err != nil {
		_ = bbt.Rollback() // it is closed unless a test's disk failed
		return false
	}
	db.doubtful = false
	return true
}

func (db *DB) visible(id int) bool {
	visible := false
	err := db.bolt.View(func(tx *bolt.Tx) error {
		visible = tx.ID() >= id
		return nil
	})
	return err == nil && visible
}

// tell brings the sink up to date after a commit and then lets the effects go, this commit's and those that were held
// back. tx is nil for a retry.
func (db *DB) tell(tx *Tx) {
	if !db.confirm() {
		return // what may vanish is not told
	}
	err := db.tellEvents(tx)
	if tx != nil {
		db.held = append(db.held, tx.due...)
	}
	if wasBehind := db.behind.Swap(err != nil); wasBehind != (err != nil) {
		db.log.Warn("audit_sink", "behind", err != nil, "error", err)
	}
	if err != nil || len(db.held) == 0 {
		return
	}
	due := db.held
	db.held = nil
	if take, ok := db.effects.Load().(func([]Effect)); ok {
		take(due)
	}
}

// tellEvents writes the commit's own lines when they are all that is missing, else what the file has after the last one told.
func (db *DB) tellEvents(tx *Tx) error {
	switch {
	case db.sink.w == nil:
		return nil
	case tx == nil || db.behind.Load():
		return db.catchUp()
	case len(tx.lines) == 0:
		return nil
	}
	return db.sink.write(tx.lines)
}
