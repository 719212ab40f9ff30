package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"elevate/internal/sim/cast"
	"elevate/internal/sim/simclock"
	"elevate/internal/sim/simentra"
	"elevate/internal/sim/simpagerduty"
	"elevate/internal/sim/simslack"
	"elevate/internal/sim/simteams"
)

// Config is what a sandbox is made of. Now is required.
type Config struct {
	Dir        string           // keeps addresses and certificates between runs; empty: nothing is kept
	Now        func() time.Time // machine time
	Start      time.Time        // the world's time at the beginning; zero: the machine's
	Rate       float64          // how fast the world's clock runs; zero: as fast as the machine's
	Behavior   simentra.Behavior
	Cast       *cast.Cast // who there is and what is set up; nil: cast.Model()
	SocketMode bool       // Slack reaches the bot through Socket Mode
	NoTeams    bool       // the bot is not in Teams: its settings have no word of it
	Enterprise string     // the Slack organisation the workspace belongs to; empty: none
	BotListen  string     // where the bot will listen, plain; empty: a free port is chosen
}

// Sandbox is a running sandbox.
type Sandbox struct {
	Clock     *simclock.Clock
	Entra     *simentra.Server
	Slack     *simslack.Server
	Teams     *simteams.Server
	PagerDuty *simpagerduty.Server

	LoginURL     string
	GraphURL     string
	SlackURL     string
	TeamsURL     string
	PagerDutyURL string
	PublicURL    string // where chats and browsers reach the bot
	ControlURL   string
	Token        string // of the control API
	BotListen    string // where the bot has to listen
	BotAdmin     string // a free address for its listen_admin
	CAPEM        []byte

	cast     *cast.Cast
	app      cast.App
	bot      cast.App // in Teams
	noTeams  bool
	seen     atomic.Int64
	pings    atomic.Int64 // of the dead man's switch
	follower follower     // of the clock
	now      func() time.Time
	started  time.Time
	ca       *authority
	browsers browsers
	stop     func() error
}

// listeners are the open ports of a sandbox.
type listeners struct {
	login, graph, slack, teams, pagerDuty, door, control net.Listener
}

// Start opens all ports and serves until Close.
func Start(ctx context.Context, cfg Config) (*Sandbox, error) {
	if cfg.Now == nil {
		return nil, errors.New("sim: Now has to be set")
	}
	where := home(cfg.Dir)
	kept, err := where.addresses()
	if err != nil {
		return nil, err
	}
	ca, err := where.authority(cfg.Now())
	if err != nil {
		return nil, fmt.Errorf("making the sandbox's certificates: %w", err)
	}
	ports, err := openPorts(ctx, kept)
	if err != nil {
		return nil, err
	}
	s, err := assemble(ctx, cfg, kept, ca, ports)
	if err != nil {
		return nil, errors.Join(err, ports.close())
	}
	if err := where.keep(s.addresses(ports)); err != nil {
		return nil, errors.Join(err, ports.close())
	}
	if err := s.serve(ctx, ports); err != nil {
		return nil, errors.Join(err, ports.close())
	}
	return s, nil
}

func openPorts(ctx context.Context, kept addresses) (listeners, error) {
	var ports listeners
	for _, p := range []struct {
		to     *net.Listener
		wished string
	}{
		{&ports.login, kept.Login},
		{&ports.graph, kept.Graph},
		{&ports.slack, kept.Slack},
		{&ports.teams, kept.Teams},
		{&ports.pagerDuty, kept.PagerDuty},
		{&ports.door, kept.Door},
		{&ports.control, kept.Control},
	} {
		l, err := listen(ctx, p.wished)
		if err != nil {
			return ports, errors.Join(err, ports.close())
		}
		*p.to = l
	}
	return ports, nil
}

func (l listeners) close() error {
	var errs []error
	for _, open := range []net.Listener{l.login, l.graph, l.slack, l.teams, l.pagerDuty, l.door, l.control} {
		if open != nil {
			errs = append(errs, open.Close())
		}
	}
	return errors.Join(errs...)
}

// assemble makes the fake services, each knowing its own address.
func assemble(ctx context.Context, cfg Config, kept addresses, ca *authority, ports listeners) (*Sandbox, error) {
	s := &Sandbox{
		LoginURL: "https://" + ports.login.Addr().String(), GraphURL: "https://" + ports.graph.Addr().String(),
		SlackURL: "https://" + ports.slack.Addr().String(), TeamsURL: "https://" + ports.teams.Addr().String(), PagerDutyURL: "https://" + ports.pagerDuty.Addr().String(),
		PublicURL: "https://" + ports.door.Addr().String(), ControlURL: "http://" + ports.control.Addr().String(), Token: kept.Token, CAPEM: ca.pem,
		cast: cfg.Cast, now: cfg.Now, started: cfg.Now(), ca: ca, noTeams: cfg.NoTeams,
	}
	if s.Token == "" {
		s.Token = newToken()
	}
	if s.cast == nil {
		s.cast = cast.Model()
	}
	s.app, _ = s.cast.App(cast.AppElevate)
	s.bot, _ = s.cast.App(cast.AppBot)
	s.browsers.open = map[string]*browser{}
	s.Clock = simclock.New(startTime(cfg), cfg.Now)
	if cfg.Rate > 0 {
		s.Clock.SetRate(cfg.Rate)
	}
	var err error
	if s.BotListen, err = chosen(ctx, cfg.BotListen, kept.Bot); err != nil {
		return nil, err
	}
	if s.BotAdmin, err = reserve(ctx, kept.BotAdmin, s.BotListen); err != nil {
		return nil, err
	}
	if s.Entra, err = s.newEntra(cfg); err != nil {
		return nil, err
	}
	if s.Slack, err = s.newSlack(cfg); err != nil {
		return nil, err
	}
	s.PagerDuty = simpagerduty.New(s.inPagerDuty(onCallFirst)...)
	s.Teams, err = s.newTeams(cfg)
	return s, err
}

func startTime(cfg Config) time.Time {
	if cfg.Start.IsZero() {
		return cfg.Now()
	}
	return cfg.Start
}

func chosen(ctx context.Context, asked, kept string) (string, error) {
	if asked != "" {
		return asked, nil
	}
	return reserve(ctx, kept, "")
}

func (s *Sandbox) newEntra(cfg Config) (*simentra.Server, error) {
	entra, err := simentra.New(simentra.Config{
		Clock: s.Clock, MachineNow: cfg.Now, Cast: s.cast, LoginURL: s.LoginURL, GraphURL: s.GraphURL, Behavior: cfg.Behavior,
	})
	if err != nil {
		return nil, err
	}
	entra.SetRedirects(s.app.ClientID, s.PublicURL+"/auth/entra/callback")
	return entra, nil
}

func (s *Sandbox) newSlack(cfg Config) (*simslack.Server, error) {
	app := simslack.ModelApp()
	app.RedirectURIs = []string{s.PublicURL + "/auth/slack/callback"}
	app.CommandURL, app.InteractionURL, app.EventURL = s.PublicURL+"/slack/commands", s.PublicURL+"/slack/interactions", s.PublicURL+"/slack/events"
	app.SocketMode = cfg.SocketMode
	team := s.cast.Team
	return simslack.New(simslack.Config{
		URL: s.SlackURL, Now: cfg.Now, Clock: s.Clock.Now, App: app, Client: s.Client(10 * time.Second),
		Workspace: simslack.Workspace{ID: team.ID, Name: team.Name, Domain: team.Domain, Enterprise: cfg.Enterprise},
		People:    simslack.ModelPeople(s.cast), Channels: simslack.ModelChannels(s.cast, app.BotUser),
		Count: s.count,
	})
}

func (s *Sandbox) newTeams(cfg Config) (*simteams.Server, error) {
	app := simteams.ModelApp(s.cast)
	app.Endpoint = s.PublicURL + "/api/messages"
	return simteams.New(simteams.Config{
		URL: s.TeamsURL, Now: cfg.Now, Clock: s.Clock.Now, App: app, Tenant: s.cast.TenantID, Client: s.Client(20 * time.Second),
		Team: simteams.ModelTeam(), People: simteams.ModelPeople(s.cast), Conversations: simteams.ModelConversations(s.cast, app),
		Caller: func(token string) (simteams.Caller, error) {
			id, tenant, err := s.Entra.ConnectorCaller(token)
			return simteams.Caller{AppID: id, Tenant: tenant}, err
		},
		Count: s.count, PageSize: teamsPage,
	})
}

// teamsPage keeps the pages of rosters short, so that nobody forgets to turn them.
const teamsPage = 4

// count numbers what people see in both chats, so that it is known which came last.
func (s *Sandbox) count() int { return int(s.seen.Add(1)) }

// addresses is what the next run needs to be found at the same places.
func (s *Sandbox) addresses(ports listeners) addresses {
	return addresses{
		Login: ports.login.Addr().String(), Graph: ports.graph.Addr().String(), Slack: ports.slack.Addr().String(),
		Teams: ports.teams.Addr().String(), PagerDuty: ports.pagerDuty.Addr().String(), Door: ports.door.Addr().String(), Control: ports.control.Addr().String(), Token: s.Token,
		Bot: s.BotListen, BotAdmin: s.BotAdmin, StartedAt: s.started.UTC().Format(time.RFC3339),
	}
}

// Client returns an HTTP client that trusts the sandbox and nobody else.
func (s *Sandbox) Client(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: s.transport()}
}

// Close stops serving and waits for what is under way.
func (s *Sandbox) Close() error { return s.stop() }
