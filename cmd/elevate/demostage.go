package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"elevate/internal/config"
	"elevate/internal/pim"
	"elevate/internal/sim"
	"elevate/internal/sim/cast"
	"elevate/internal/sim/simentra"
	"elevate/internal/store"
)

// stage is a sandbox and a bot in one process. They share nothing but the clock
// and talk over loopback.
type stage struct {
	box *sim.Sandbox
	bot *bot

	client *http.Client // the bot's way to the sandbox
	stop   context.CancelFunc
	ended  chan error // what the bot's run came to
}

// openStage starts the sandbox with those who are in it, and writes the settings that fit it.
func openStage(ctx context.Context, home string, who *cast.Cast) (*stage, error) {
	box, err := sim.Start(ctx, sim.Config{Dir: home, Now: time.Now, Rate: demoRate, Behavior: simentra.DefaultBehavior(), Cast: who})
	if err != nil {
		return nil, err
	}
	if err := writeSandboxFiles(home, box.Settings()); err != nil {
		return nil, errors.Join(err, box.Close())
	}
	return &stage{box: box, client: box.Client(0), ended: make(chan error, 1)}, nil
}

func (s *stage) startBot(ctx context.Context, home string, env func(string) (string, bool), log *slog.Logger) error {
	cfg, err := config.Load(filepath.Join(home, settingsFile), env, os.ReadFile)
	if err != nil {
		return err
	}
	s.bot, err = newBot(ctx, cfg, surroundings{
		now: s.box.Clock.Now, transport: s.client.Transport, log: log, audit: io.Discard, tick: 20 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	s.stop = stop
	go func() { s.ended <- s.bot.run(running) }()
	if err := s.ready(ctx, cfg.Listen); err != nil {
		return errors.Join(err, s.stopBot())
	}
	return nil
}

// zones says in which time zone the people of a script see times: each in their
// own, as Slack shows them.
func (s *stage) zones(script []scene) string {
	var elsewhere, met []string
	for _, sc := range script {
		person, err := s.box.Slack.Person(sc.actor)
		if err != nil || slices.Contains(met, sc.actor) {
			continue
		}
		met = append(met, sc.actor)
		if person.TZ != "" && person.TZ != "UTC" {
			elsewhere = append(elsewhere, sc.actor+" in "+person.TZ)
		}
	}
	text := "Times are UTC, as the chats show them to people who live there"
	if len(elsewhere) > 0 {
		text += "; " + strings.Join(elsewhere, " and ") + " see their own"
	}
	return fmt.Sprintf("%s. The clock runs %d times as fast as yours.", text, demoRate)
}

// ready waits until the bot listens.
func (s *stage) ready(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return poll(ctx, func() (bool, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return false, nil //nolint:nilerr // not yet
		}
		return true, c.Close()
	})
}

// poll asks until the answer is yes.
func poll(ctx context.Context, ask func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (s *stage) stopBot() error {
	s.stop()
	err := errors.Join(<-s.ended, s.bot.db.Close())
	// The sandbox would wait for connections that were opened and never used.
	s.client.CloseIdleConnections()
	return err
}

func (s *stage) close() error { return errors.Join(s.stopBot(), s.box.Close()) }

// await waits until a person's newest request is in a state. One that stays in
// another is returned as it is, for the check to complain about.
func (s *stage) await(ctx context.Context, person string, state pim.State) (pim.Request, error) {
	var r pim.Request
	waiting, cancel := context.WithTimeout(ctx, sceneWithin)
	defer cancel()
	err := poll(waiting, func() (bool, error) {
		var err error
		r, err = s.newest(person)
		return r.State == state, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return r, ctx.Err()
	}
	return r, err
}

// newest reads a person's newest request from the bot's state file, from
// whichever chat it was made.
func (s *stage) newest(person string) (pim.Request, error) {
	accounts, err := s.accounts(person)
	if err != nil {
		return pim.Request{}, err
	}
	var newest pim.Request
	err = s.bot.db.View(func(tx *store.Tx) error {
		for _, account := range accounts {
			found, err := tx.OfAccount(account, time.Time{}, 1)
			if err != nil {
				return err
			}
			if len(found) > 0 && found[0].Created.After(newest.Created) {
				newest = found[0]
			}
		}
		return nil
	})
	if err != nil || newest.ID == "" {
		return pim.Request{}, cmp.Or(err, fmt.Errorf("%s has no request", person))
	}
	return newest, nil
}

// accounts are a person's in the chats.
func (s *stage) accounts(person string) ([]pim.ChatAccount, error) {
	inSlack, err := s.box.Slack.Person(person)
	if err != nil {
		return nil, err
	}
	all := []pim.ChatAccount{{Chat: pim.Slack, Workspace: s.bot.cfg.Slack.TeamID, User: inSlack.ID}}
	if s.bot.cfg.Teams == nil {
		return all, nil
	}
	inTeams, err := s.box.Teams.Person(person)
	return append(all, pim.ChatAccount{Chat: pim.Teams, Workspace: s.bot.cfg.Teams.TenantID, User: inTeams.ObjectID}), err
}

// check compares a scene with what the state file and the sandbox's own
// directory say.
func (s *stage) check(p scenePlayed) error {
	status, member, err := s.directorySays(p.about, p.request)
	if err != nil {
		return err
	}
	var wrong []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	must(p.request.State == p.state, "request %s is %s, not %s", p.request.ID, p.request.State, p.state)
	must(status == p.inPIM, "PIM says %q of it, not %q", status, p.inPIM)
	must(member == p.member, "being a member is %t in the directory", member)
	must(p.refused == p.scene.refused, "being refused is %t", p.refused)
	must(strings.Contains(p.text, p.says), "%q is not shown", p.says)
	return errors.Join(wrong...)
}

// directorySays asks the sandbox, not the bot: PIM's word for the newest request
// of a person, "" when it knows none, and whether they are a member of its group.
func (s *stage) directorySays(person string, r pim.Request) (status string, member bool, err error) {
	for _, known := range s.box.Entra.Portal().Requests(person) {
		if known.ID == r.Copy.ID {
			status = known.Status
		}
	}
	for _, role := range s.box.Settings().Roles {
		if role.Name != r.Role {
			continue
		}
		members, err := s.box.Entra.Portal().Members(role.Group)
		return status, slices.Contains(members, person), err
	}
	return "", false, fmt.Errorf("the sandbox has no role %q", r.Role)
}
