package workflowtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elevate/internal/keyset"
	"elevate/internal/pim"
	"elevate/internal/store"
	"elevate/internal/workflow"
)

// Log keeps lines: what was logged, or told to the audit sink.
type Log struct {
	mu    sync.Mutex
	lines strings.Builder
}

// Write keeps a line.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(b)
}

// String is all lines so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

// Keep forgets all that came after the first lines.
func (l *Log) Keep(first string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines.Reset()
	l.lines.WriteString(first)
}

// Bot is a workflow on a state file, with what the rest of Elevate would do for
// it. What Config says is changed before Open.
type Bot struct {
	Config workflow.Config
	Path   string
	Sink   Log
	Log    Log
	// DB and Service are there after Open.
	DB      *store.DB
	Service *workflow.Service

	tb    testing.TB
	keys  *keyset.Set
	roles pim.Roles // of all times, while those of the settings may change
	stop  func()
	mu    sync.Mutex
	links []workflow.SignInLink // that were given out
}

// NewBot returns a bot that keeps its state in a folder.
func NewBot(tb testing.TB, folder string, cfg workflow.Config) *Bot {
	tb.Helper()
	b := &Bot{Config: cfg, Path: filepath.Join(folder, "state.db"), tb: tb, roles: cfg.Roles, stop: func() {}}
	var err error
	if b.keys, err = keyset.New(cfg.Now()); err != nil {
		tb.Fatal(err)
	}
	b.Config.SignInLink, b.Config.EndSession, b.Config.SignOut, b.Config.Unlink = b.link, endSession, endSession, unlink
	b.Config.DecideWithin, b.Config.KeepSessions, b.Config.PIMPage = time.Hour, true, "https://pim.example/"
	b.Config.Logger = slog.New(slog.NewTextHandler(&b.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return b
}

func (b *Bot) link(_ *store.Tx, l workflow.SignInLink) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.links = append(b.links, l)
	return fmt.Sprintf("https://elevate.example/auth/start?t=%d", len(b.links)), nil
}

// Link is the newest sign-in link that was given to an account.
func (b *Bot) Link(a pim.ChatAccount) (workflow.SignInLink, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range slices.Backward(b.links) {
		if l.Account == a {
			return l, true
		}
	}
	return workflow.SignInLink{}, false
}

func endSession(tx *store.Tx, a pim.ChatAccount) error {
	if _, err := tx.Append(pim.Event{Kind: pim.EventSignedOut, Chat: pim.System, By: pim.Actor{Account: a}}); err != nil {
		return err
	}
	return tx.DeleteSession(a)
}

func unlink(tx *store.Tx, a pim.ChatAccount, by pim.Actor, why string) error {
	if _, err := tx.Append(pim.Event{Kind: pim.EventUnlinked, Chat: pim.System, By: by, Text: why}); err != nil {
		return err
	}
	if err := errors.Join(tx.DeleteSession(a), workflow.GiveUpIntents(tx, a)); err != nil {
		return err
	}
	return tx.DeleteLink(a)
}

// Open opens the state file and makes the service.
func (b *Bot) Open() {
	b.tb.Helper()
	var err error
	b.DB, err = store.Open(store.Config{
		Path: b.Path, Keys: b.keys, Now: b.Config.Now, Sink: &b.Sink, Logger: b.Config.Logger, CheckDisk: func(string) error { return nil },
	})
	if err != nil {
		b.tb.Fatal(err)
	}
	b.Config.Store = b.DB
	b.Service = workflow.New(b.Config)
}

// Run runs the service until Stop.
func (b *Bot) Run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Service.Run(ctx) }()
	b.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			b.tb.Errorf("the service ended with %v", err)
		}
		b.stop = func() {}
	}
}

// Stop lets what runs come to its end.
func (b *Bot) Stop() { b.stop() }

// Close stops the service and checks what must hold at every end.
func (b *Bot) Close() {
	b.tb.Helper()
	b.Stop()
	b.checkTrail()
	if err := b.DB.Close(); err != nil {
		b.tb.Error(err)
	}
	if b.tb.Failed() {
		b.tb.Log(b.Log.String())
	}
}

// Update writes to the state file.
func (b *Bot) Update(fn func(*store.Tx) error) {
	b.tb.Helper()
	if err := b.DB.Update(context.Background(), fn); err != nil {
		b.tb.Fatal(err)
	}
}

// View reads the state file.
func (b *Bot) View(fn func(*store.Tx) error) {
	b.tb.Helper()
	if err := b.DB.View(fn); err != nil {
		b.tb.Fatal(err)
	}
}

// Session gives an account a session of a person's.
func (b *Bot) Session(a pim.ChatAccount, p pim.Profile, auth time.Time, life time.Duration, contexts ...string) {
	b.tb.Helper()
	b.Update(func(tx *store.Tx) error {
		return tx.PutSession(store.Session{
			Account: a, Tenant: b.Config.Tenant, Person: p.ID, Name: p.Name, AuthTime: auth.Truncate(time.Second), SignedIn: tx.Now(),
			Expires: tx.Now().Add(life), ACRS: contexts,
		}, []byte("sealed"))
	})
}

// Knows links an account to a person.
func (b *Bot) Knows(a pim.ChatAccount, p pim.Profile) {
	b.tb.Helper()
	b.Update(func(tx *store.Tx) error {
		return tx.PutLink(store.Link{Account: a, Tenant: b.Config.Tenant, Person: p.ID, Name: p.Name, Since: tx.Now()})
	})
}

// Request reads a request.
func (b *Bot) Request(id pim.RequestID) (r pim.Request) {
	b.tb.Helper()
	b.View(func(tx *store.Tx) error {
		var err error
		r, err = tx.Request(id)
		return err
	})
	return r
}

// Newest is an account's newest request; the zero one when it has none.
func (b *Bot) Newest(a pim.ChatAccount) (r pim.Request) {
	b.tb.Helper()
	b.View(func(tx *store.Tx) error {
		all, err := tx.OfAccount(a, time.Time{}, 1)
		if len(all) > 0 {
			r = all[0]
		}
		return err
	})
	return r
}

// Events are those of a request, oldest first.
func (b *Bot) Events(id pim.RequestID) (events []pim.Event) {
	b.tb.Helper()
	b.View(func(tx *store.Tx) error {
		var err error
		events, err = tx.EventsOf(id)
		return err
	})
	return events
}

// Event returns how many events of a kind a request has, and the last.
func (b *Bot) Event(id pim.RequestID, kind pim.EventKind) (n int, last pim.Event) {
	b.tb.Helper()
	for _, e := range b.Events(id) {
		if e.Kind == kind {
			n, last = n+1, e
		}
	}
	return n, last
}

// Requests are all requests for the roles that the settings had at first.
func (b *Bot) Requests() (all []pim.Request) {
	b.tb.Helper()
	b.View(func(tx *store.Tx) error {
		all = nil
		for _, role := range b.roles {
			some, err := tx.Recent(role.Name, 1000)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		return nil
	})
	return all
}

// checkTrail checks what must hold for every request at every time: each step
// from state to state is one of the table's and has its event, and nothing was
// active without the read-back.
func (b *Bot) checkTrail() {
	b.tb.Helper()
	anchor := strings.NewReader(b.Sink.String())
	proof, err := b.verify(anchor)
	if err != nil {
		b.tb.Errorf("the chain of events: %v", err)
	}
	if proof.Through != proof.Events {
		b.tb.Errorf("the sink has %d of %d events", proof.Through, proof.Events)
	}
	for _, r := range b.Requests() {
		b.checkSteps(&r)
	}
}

// verify checks the chain against what the sink was told, if anything.
func (b *Bot) verify(told *strings.Reader) (store.Proof, error) {
	if told.Len() == 0 {
		return b.DB.Verify(context.Background(), store.Anchor{}, nil)
	}
	return b.DB.Verify(context.Background(), store.Anchor{}, told)
}

func (b *Bot) checkSteps(r *pim.Request) {
	b.tb.Helper()
	at := pim.State("")
	for _, e := range b.Events(r.ID) {
		if e.To == "" || e.To == at {
			continue
		}
		if at != "" && (!at.CanBecome(e.To) || e.From != at) {
			b.tb.Errorf("%s went from %s to %s by %s, which says from %s", r.ID, at, e.To, e.Kind, e.From)
		}
		if e.To == pim.Active && e.Kind != pim.EventConfirmed {
			b.tb.Errorf("%s became active by %s", r.ID, e.Kind)
		}
		at = e.To
	}
	if at != r.State {
		b.tb.Errorf("%s is %s, its events end at %s", r.ID, r.State, at)
	}
}
