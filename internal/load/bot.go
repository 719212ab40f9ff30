package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/bounded"
	"elevate/internal/pim"
	"elevate/internal/secret"
	"elevate/internal/store"
	"elevate/internal/workflow"
)

// bot is the part of Elevate between Slack and the disk, with a played PIM behind it.
type bot struct {
	db      *store.DB
	service *workflow.Service
	handler *slack.Handler
}

func newBot(ctx context.Context, f files, o options) (*bot, error) {
	db, err := f.open()
	if err != nil {
		return nil, err
	}
	client := slack.NewClient(slack.Config{
		BotToken: secret.New("sandbox-bot-token"), API: o.api, TeamID: team, Now: time.Now, Sandbox: true,
	})
	if err := client.Start(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	b := &bot{db: db}
	b.service = workflow.New(workflow.Config{ //nolint:contextcheck // its writes outlive who waits for them
		Store: db, Directory: newTenant(time.Duration(o.latency) * time.Millisecond),
		Messengers: map[pim.Chat]workflow.Messenger{pim.Slack: client}, Roles: roles(), Tenant: tenantID,
		DecideWithin: time.Hour, KeepSessions: true, SignInLink: signInLink, PIMPage: "https://entra.example/",
		Now: time.Now, Tick: time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	b.handler = slack.NewHandler(slack.HandlerConfig{
		Client: client, Service: b.service, SigningSecret: secret.New(signingSecret), Now: time.Now,
	})
	return b, nil
}

// signInLink stores what a sign-in link stores.
func signInLink(tx *store.Tx, l workflow.SignInLink) (string, error) {
	token := rand.Text()
	sum := sha256.Sum256([]byte(token))
	ticket := store.Ticket{Hash: hex.EncodeToString(sum[:]), Kind: "link", Account: l.Account, Intent: l.Intent, Expires: tx.Now().Add(10 * time.Minute)}
	return "https://elevate.example.com/auth/start?t=" + token, tx.PutTicket(ticket)
}

func (b *bot) close() error {
	b.handler.Close()
	return b.db.Close()
}

// serveBot is the measured process: it says where it listens, and serves until it is interrupted.
func serveBot(ctx context.Context, o options, out io.Writer) error {
	bounded.Heap() // as serve does
	b, err := newBot(ctx, filesIn(o.dir), o)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it takes no time
	if err != nil {
		return errors.Join(err, b.close())
	}
	server := &http.Server{
		Handler: b.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	worked := make(chan error, 1)
	go func() {
		if !o.effects {
			<-ctx.Done()
			worked <- nil
			return
		}
		worked <- b.service.Run(ctx)
	}()
	go func() {
		<-ctx.Done()
		_ = server.Close() // nobody measures any more
	}()
	fmt.Fprintln(out, "http://"+l.Addr().String())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, b.close())
	}
	return errors.Join(<-worked, b.close())
}
