package store

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"elevate/internal/keyset"
	"elevate/internal/pim"
)

// Config says where the state file is and what stands around it.
type Config struct {
	Path string
	// Keys authenticate every record and the event chain.
	Keys *keyset.Set
	Now  func() time.Time
	// Sink gets one JSON line for each event, in order, at least once. Nil, as for a command that does one thing and
	// ends: the events wait in the file for the next who opens it with a sink.
	Sink   io.Writer
	Logger *slog.Logger // nil: nothing is logged
	// CheckDisk refuses a folder that the file cannot live in. Nil: RefuseNetworkDisk.
	CheckDisk func(folder string) error
}

// DB is the open state file. It can be used by many goroutines.
type DB struct {
	bolt *bolt.DB
	keys *keyset.Set
	now  func() time.Time
	log  *slog.Logger
	path string
	// opened is what the file was when it was last seen under its name; the committer's.
	opened os.FileInfo

	calls   chan *call    // to the committer
	closing chan struct{} // closed by Close
	stopped chan struct{} // closed when the committer has returned
	once    sync.Once
	closed  error

	// commitBolt is (*bolt.Tx).Commit; tests put a failing disk in its place.
	commitBolt func(*bolt.Tx) error
	sink       sink
	held       []Effect     // whose events are not on the sink yet; the committer's
	doubtful   bool         // the last commit is visible but perhaps not on the disk; the committer's
	behind     atomic.Bool  // the sink lacks events
	unwritten  atomic.Bool  // the last write to the file failed
	effects    atomic.Value // func([]Effect)
}

// Open opens the state file, makes it when there is none, brings the sink up to the file's newest event, and starts
// to take updates. It fails when another process has the file open.
func Open(c Config) (*DB, error) {
	db, err := open(c, false)
	if err != nil {
		return nil, err
	}
	if err := db.prepare(c); err != nil {
		_ = db.bolt.Close() // the first error is the one to tell
		return nil, explainContent(c.Path, err)
	}
	db.calls, db.closing, db.stopped = make(chan *call), make(chan struct{}), make(chan struct{})
	go db.commitLoop()
	return db, nil
}

// OpenReadOnly opens the state file to look at it only, which several processes may do while nobody has it open to
// write. Update fails on it.
func OpenReadOnly(c Config) (*DB, error) {
	db, err := open(c, true)
	if err != nil {
		return nil, err
	}
	if err := db.View(checkVersion); err != nil {
		_ = db.bolt.Close() // the first error is the one to tell
		return nil, explainContent(c.Path, err)
	}
	return db, nil
}

func open(c Config, readOnly bool) (*DB, error) {
	file, err := openFile(c, readOnly)
	if err != nil {
		return nil, err
	}
	logger := c.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	opened, err := os.Stat(c.Path)
	if err != nil {
		return nil, errors.Join(explainOpen(c.Path, err), file.Close())
	}
	return &DB{bolt: file, keys: c.Keys, now: c.Now, log: logger, path: c.Path, opened: opened, commitBolt: (*bolt.Tx).Commit}, nil
}

// prepare brings the file to this version, and the sink to the file's newest event.
func (db *DB) prepare(c Config) error {
	if err := db.migrate(); err != nil {
		return err
	}
	var chain chain
	err := db.View(func(tx *Tx) error {
		var err error
		chain, err = tx.loadChain()
		return err
	})
	if err != nil {
		return err
	}
	db.sink = sink{told: chain.Told}
	if c.Sink == nil {
		return nil
	}
	db.sink.w = &patience{w: c.Sink}
	err = db.sink.separate(chain)
	if err == nil {
		err = db.catchUp()
	}
	if errors.Is(err, errSlowSink) {
		db.behind.Store(true) // the committer goes on
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing to the audit sink: %w", err)
	}
	return nil
}

// Close waits for the update that runs, and closes the file. Later updates fail.
func (db *DB) Close() error {
	db.once.Do(func() {
		if db.calls != nil {
			close(db.closing)
			<-db.stopped
			db.noteSink()
		}
		db.closed = db.bolt.Close()
	})
	return db.closed
}

// OnEffects sets the function that gets the effects of each commit once their events are on the sink. It is called by
// the goroutine that commits, so it must not wait and must not call Update. What was committed before is in Tx.Effects.
func (db *DB) OnEffects(take func([]Effect)) { db.effects.Store(take) }

// SinkBehind reports whether the audit sink lacks events that the file has. Their effects wait meanwhile.
func (db *DB) SinkBehind() bool { return db.behind.Load() }

// Unwritten reports whether the last write to the state file failed, as on a full disk. It is tried again by itself.
func (db *DB) Unwritten() bool { return db.unwritten.Load() }

// View calls fn with a transaction that can only read. It sees the file as it was when it began.
func (db *DB) View(fn func(*Tx) error) error {
	// A file that is shorter than it says makes a read fault; as a panic it ends here and not the process.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return db.bolt.View(func(bbt *bolt.Tx) error {
		return (&Tx{db: db, bbt: bbt}).run(fn)
	})
}

// ErrPanicked is in the error of a function that panicked in its transaction.
var ErrPanicked = errors.New("panic")

// run calls fn. A panic in it becomes its error.
func (tx *Tx) run(fn func(*Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			tx.writes++ // whatever it did is not to stay
			// The stack is for the log alone: the error may go to an operator, in one line.
			tx.db.log.Error("transaction_panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %w: %v", pim.Explain(nil), ErrPanicked, p)
		}
	}()
	tx.now, tx.failed = tx.db.now().UTC().Round(0), nil // without the monotonic part, as it comes back from the file
	if err := fn(tx); err != nil {
		return err
	}
	return tx.failed
}
