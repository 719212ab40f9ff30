package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"elevate/internal/bounded"
	"elevate/internal/pim"
	"elevate/internal/store"
)

// Config is what a Service needs.
type Config struct {
	Store      *store.DB
	Directory  Directory
	Messengers map[pim.Chat]Messenger
	Roles      pim.Roles
	Tenant     pim.TenantID
	// DecideWithin is how old an approver's sign-in may be; zero wants one for
	// each decision.
	DecideWithin time.Duration
	// KeepSessions is false when a session ends with the effect it was opened for.
	KeepSessions bool
	// Readers are the groups whose members may read everything.
	Readers []pim.GroupID
	// SignInLink makes a single-use sign-in link inside the transaction.
	SignInLink func(tx *store.Tx, l SignInLink) (string, error)
	// EndSession drops the account's session inside the transaction.
	EndSession func(tx *store.Tx, a pim.ChatAccount) error
	// SignOut drops the account's session because the person said so.
	SignOut func(tx *store.Tx, a pim.ChatAccount) error
	// Unlink ends the account's link and session inside the transaction, and tells the account why; "" where the person
	// wanted it.
	Unlink func(tx *store.Tx, a pim.ChatAccount, by pim.Actor, why string) error
	// Peoples finds the groups whose people are watched for a role. Nil: none are.
	Peoples func(ctx context.Context, role string) (PeoplesGroups, error)
	// Reaches returns the chat accounts, beside linked ones, in which a person can
	// be written to; nil knows none.
	Reaches func(tx *store.Tx, id pim.PrincipalID) ([]pim.ChatAccount, error)
	// OnCall returns who is on call now, at once; nil knows nobody.
	OnCall func() []OnCallPerson
	// PIMPage is the address of PIM's own page for approvers.
	PIMPage string
	Now     func() time.Time
	// Tick is the longest the queue waits before it looks at the clock again.
	Tick   time.Duration
	Logger *slog.Logger
	// Count counts an effect's outcome; nil counts nothing.
	Count func(kind, outcome string)
	// SweepFirst holds every message back until a sweep has seen what PIM says:
	// after a restored backup the state file knows an old world.
	SweepFirst bool
}

// SignInLink says for whom a sign-in link is and what it is to go on with.
type SignInLink struct {
	Account     pim.ChatAccount
	AccountName string
	Intent      string
	Claims      string
}

// Service carries requests from the words to the end of the access.
type Service struct {
	cfg      Config
	queue    *queue
	policies *policies
	swept    atomic.Int64 // unix seconds of the last sweep that succeeded
	answered atomic.Bool  // a sweep was answered, if only in part
	readers  membership
	owners   membership
	// reviewers are those of the emergency roles.
	reviewers membership
	failing   failing
	held      held // only the sweep's own lane uses it
	unread    unread
	suspects  []pim.Alarm // seen at the last readings; the sweep's own, as what follows
	// lookedAt is when a group was last read as a whole. Of peoples, peoplesAsked were looked up in this sweep.
	lookedAt map[pim.GroupID]time.Time
	// strangersRead is when the requests were read of those whose activation none explains.
	strangersRead map[pim.Recent]time.Time
	peoples       map[string]PeoplesGroups
	peoplesAsked  int
	eligible      eligibles
	homes         homes
	drawings      drawings
	steps         *bounded.Rates
	answers       *bounded.Repeats[Reply]
	readings      *bounded.Rates
	drafts        *bounded.Cache[[]draft]
	// linksTried is the links effect's own.
	linksTried tried
	// update writes to the state file. It takes no context: a write that was
	// begun is not abandoned because somebody stopped waiting for its answer.
	update func(fn func(*store.Tx) error) error
}

// New returns a Service. Run has to be called for effects to happen.
func New(cfg Config) *Service {
	if cfg.Tick <= 0 {
		cfg.Tick = time.Second
	}
	s := &Service{
		cfg: cfg, policies: newPolicies(), linksTried: tried{}, answers: newAnswers(cfg.Now), lookedAt: map[pim.GroupID]time.Time{}, peoples: map[string]PeoplesGroups{},
		drafts: bounded.NewCache[[]draft](draftsMost, draftLife),
		steps:  bounded.NewRates(stepsAtOnce, stepEvery, stepPeople), readings: bounded.NewRates(readingsAtOnce, readingEvery, stepPeople),
	}
	s.homes.pace = rate.NewLimiter(rate.Every(homesPause), homesAtOnce)
	s.update = func(fn func(*store.Tx) error) error { return cfg.Store.Update(context.Background(), fn) }
	s.cfg.Unlink = func(tx *store.Tx, a pim.ChatAccount, by pim.Actor, why string) error {
		return errors.Join(cfg.Unlink(tx, a, by, why), s.turnHomes(tx))
	}
	s.queue = newQueue(cfg.Now, cfg.Tick, cfg.Logger)
	s.queue.perform = s.perform
	s.queue.commit, s.queue.parked, s.queue.refused = s.update, s.personParked, s.placeRefused
	if cfg.Count != nil {
		s.queue.count = cfg.Count
	}
	// What is said while the disk fails could not be noted, and would be said again.
	s.queue.quiet = func() bool { return cfg.SweepFirst && !s.answered.Load() || cfg.Store.Unwritten() }
	cfg.Store.OnEffects(s.queue.put)
	return s
}

// Run takes up what the state file holds and runs effects until ctx ends and
// the running ones are through.
func (s *Service) Run(ctx context.Context) error {
	if err := s.takeUp(); err != nil {
		return fmt.Errorf("taking up the queue: %w", err)
	}
	s.queue.run(ctx)
	return nil
}

// takeUp loads the effects that a previous run left, and sees to it that
// everything that is open has something that drives it on.
func (s *Service) takeUp() error {
	var effects []store.Effect
	err := s.cfg.Store.View(func(tx *store.Tx) error {
		var err error
		effects, err = tx.Effects()
		return err
	})
	if err != nil {
		return err
	}
	if err := s.update(revive); err != nil {
		return err
	}
	if err := s.takeUpUnread(); err != nil {
		return err
	}
	s.queue.takeUp(effects) // a due time that is too far ahead is seen at its first look at the clock
	return s.update(s.driveOpen)
}

// revive takes up cards and messages that were given up within the last day: why
// may have ended with the previous run.
func revive(tx *store.Tx) error {
	parked, err := tx.Parked()
	if err != nil {
		return err
	}
	for _, p := range parked {
		if !says(p.Effect) || tx.Now().Sub(p.At) > paces[kindCard].age {
			continue
		}
		if _, err := tx.Unpark(p.Effect.Key); err != nil {
			return err
		}
		if _, err := tx.Append(pim.Event{Kind: pim.EventRetried, Request: p.Effect.Request, Chat: pim.System, Text: p.Effect.Key}); err != nil {
			return err
		}
	}
	return nil
}

// driveOpen puts the effect that each open request needs where it is missing,
// as after a restored backup.
func (s *Service) driveOpen(tx *store.Tx) error {
	for _, kind := range []string{kindLinks, kindSweep} {
		if err := tx.PutEffect(store.Effect{Key: kind, Kind: kind, Lane: kind}); err != nil {
			return err
		}
	}
	if err := errors.Join(s.putOverdue(tx), nameFormer(tx)); err != nil {
		return err
	}
	open, err := tx.OpenRequests()
	if err != nil {
		return err
	}
	for i := range open {
		if err := s.drive(tx, &open[i]); err != nil {
			return err
		}
	}
	return nil
}

// drive puts the effect that an open request goes on by, if it is missing.
func (s *Service) drive(tx *store.Tx, r *pim.Request) error {
	if err := s.dropLostRelease(tx, r); err != nil {
		return err
	}
	if r.State == pim.Pending {
		if err := s.putRemind(tx, r); err != nil {
			return err
		}
	}
	e, err := s.driver(tx, r)
	if err != nil {
		return err
	}
	if _, there, err := tx.Effect(e.Key); err != nil || there {
		return err
	}
	if r.State == pim.Submitting {
		// The click is forgotten, so nothing is sent any more: only looked for.
		r.Sending.At, r.Sending.Lost = tx.Now(), true
		if err := s.record(tx, r, pim.Event{Kind: pim.EventObserved, Chat: pim.System, From: r.State, Text: "looked for, not sent again"}); err != nil {
			return err
		}
	}
	return tx.PutEffect(e)
}

// driver is the effect that an open request goes on by.
func (s *Service) driver(tx *store.Tx, r *pim.Request) (store.Effect, error) {
	switch r.State { //nolint:exhaustive // open states only
	case pim.WaitingForSignIn:
		intents, err := tx.IntentsOn(r.ID)
		for _, in := range intents {
			if in.Verb == verbSubmit {
				return lapseEffect(in), err
			}
		}
		gone := store.Intent{ID: "none-" + string(r.ID), Request: r.ID, Expires: tx.Now()}
		return lapseEffect(gone), err
	case pim.Submitting:
		return personEffect(kindSubmit, r, r.Requester, decision{})
	case pim.Active:
		return confirmEffect(r, r.Ends), nil
	}
	return watchEffect(r.Group), nil
}

// work is what carries out each kind of effect.
func (s *Service) work() map[string]func(context.Context, store.Effect) (result, error) {
	return map[string]func(context.Context, store.Effect) (result, error){
		kindSubmit: s.submit, kindDecide: s.decide, kindCancel: s.cancel, kindRelease: s.release, kindRevoke: s.revokeAs,
		kindWatch: s.watch, kindConfirm: s.confirm, kindCard: s.card, kindTell: s.tell, kindWhisper: s.whisper, kindHomes: s.showHomes, kindSweep: s.sweep,
		kindReview: s.checkReview, kindOverdue: s.nameOverdue, kindEligible: s.learnEligible, kindLinks: s.links, kindLapse: s.lapse, kindRemind: s.remind, kindEnding: s.ending,
		kindBoard: s.board, kindEvidence: s.evidence, kindAlarm: s.alarm,
	}
}

// perform runs one effect.
func (s *Service) perform(ctx context.Context, e store.Effect) (result, error) {
	if run, known := s.work()[e.Kind]; known {
		return run(ctx, e)
	}
	return result{park: "This version of Elevate does not know this kind of work; a newer or older one does."}, nil
}

// A Reopener is a Messenger that leaves a conversation alone for a while where it
// was refused. Reopen has it try again.
type Reopener interface {
	Reopen(ctx context.Context, to pim.Conversation) error
}

// Reopened has what waits for a conversation tried at once, and takes up again the
// cards that were given up there: its chat lets the bot write there again.
func (s *Service) Reopened(to pim.Conversation) {
	s.queue.hurry(func(e store.Effect) bool { return says(e) && e.To.String() == to.String() })
	err := s.update(func(tx *store.Tx) error {
		parked, err := tx.Parked()
		if err != nil {
			return err
		}
		for _, p := range parked {
			if p.Effect.Kind != kindCard && p.Effect.Kind != kindAlarm || p.Effect.To.String() != to.String() {
				continue // what was to be said then may be untrue by now; a card shows the present state
			}
			if _, err := tx.Unpark(p.Effect.Key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.cfg.Logger.Warn("cards_not_taken_up", "place", to.String(), "error", err)
	}
}

// says reports whether an effect writes into a chat.
func says(e store.Effect) bool {
	return e.Kind == kindCard || e.Kind == kindTell || e.Kind == kindWhisper || e.Kind == kindBoard || e.Kind == kindAlarm
}

// Retry has the cards and messages of these keys that wait tried at once, or with no keys all of them, and returns which. Where
// they or those that are parked go to is tried again, with all that waits for the same place.
func (s *Service) Retry(ctx context.Context, keys ...string) ([]string, error) {
	asked := func(e store.Effect) bool { return says(e) && (len(keys) == 0 || slices.Contains(keys, e.Key)) }
	waiting := s.queue.waiting(asked)
	var parked []store.Parked
	err := s.cfg.Store.View(func(tx *store.Tx) (err error) {
		parked, err = tx.Parked()
		return err
	})
	if err != nil {
		return nil, err
	}
	places := map[string]pim.Conversation{}
	var hurried []string
	for _, e := range waiting {
		hurried = append(hurried, e.Key)
		places[e.To.String()] = e.To
	}
	for _, p := range parked {
		if asked(p.Effect) {
			places[p.Effect.To.String()] = p.Effect.To
		}
	}
	for _, to := range places {
		if chat, can := s.cfg.Messengers[to.Chat].(Reopener); can {
			if err := chat.Reopen(ctx, to); err != nil {
				return nil, err
			}
		}
	}
	s.queue.hurry(func(e store.Effect) bool {
		_, open := places[e.To.String()]
		return says(e) && open
	})
	return hurried, nil
}

// Waiting returns how many effects wait or run.
func (s *Service) Waiting() int { return s.queue.size() }

// Stuck reports whether work that could be done has waited for far too long.
func (s *Service) Stuck() bool { return s.queue.stuck() }

// Swept returns when the last sweep succeeded; zero when none has yet.
func (s *Service) Swept() time.Time {
	if n := s.swept.Load(); n > 0 {
		return time.Unix(n, 0)
	}
	return time.Time{}
}
