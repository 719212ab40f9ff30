package simslack

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"elevate/internal/sim/simchat"
)

// Config is what a fake Slack is made of.
type Config struct {
	URL       string           // where it is reached, without a slash at the end; also the issuer of Sign in with Slack
	Now       func() time.Time // machine time: signatures, trigger ids, deadlines
	Clock     func() time.Time // the world's time, which tests move: message timestamps, response URLs, ID tokens
	App       App
	Workspace Workspace
	People    []Person
	Channels  []Channel
	Client    *http.Client  // reaches the request URLs of the app
	AckWithin time.Duration // how long the app may take to answer; three seconds when zero
	Count     func() int    // numbers what people can see, together with another chat; one of its own when nil
}

// App is the registration of the bot in the fake Slack.
type App struct {
	ID             string
	Name           string
	BotUser        string // user id of the bot
	BotID          string
	SigningSecret  string
	BotToken       string
	AppToken       string // for Socket Mode
	ClientID       string // Sign in with Slack
	ClientSecret   string
	BotScopes      []string
	RedirectURIs   []string
	Commands       []string // with their slash
	CommandURL     string
	InteractionURL string
	EventURL       string
	SocketMode     bool
}

// Workspace is the team the app is installed in.
type Workspace struct {
	ID         string
	Name       string
	Domain     string
	Enterprise string // empty, or the organisation the workspace belongs to
}

// Server is one fake Slack.
type Server struct {
	*simchat.Changes // of everything that anybody can see
	simchat.Faults

	cfg     Config
	key     *rsa.PrivateKey
	methods map[string]method

	mu        sync.Mutex
	people    []*Person
	channels  []*room
	triggers  map[string]trigger
	hooks     map[string]*hook
	screens   map[string]*screen
	calls     []Call
	late      []lateEvent
	sessions  map[string]string
	codes     map[string]*grant
	userToken map[string]grant
	sockets   sockets
	lastTS    time.Time
	lastID    int
	removed   bool
	homeOff   bool // the app's Home tab is switched off in its settings
}

// New makes a fake Slack; Handler serves it.
func New(cfg Config) (*Server, error) {
	if cfg.URL == "" || cfg.Now == nil || cfg.Clock == nil || cfg.Client == nil {
		return nil, errors.New("simslack: URL, Now, Clock and Client have to be set")
	}
	if cfg.AckWithin == 0 {
		cfg.AckWithin = 3 * time.Second
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Changes: simchat.NewChanges(cfg.Count), cfg: cfg, key: key,
		triggers: map[string]trigger{}, hooks: map[string]*hook{}, screens: map[string]*screen{},
		sessions: map[string]string{}, codes: map[string]*grant{}, userToken: map[string]grant{},
		sockets: newSockets(),
	}
	s.methods = webMethods()
	for _, p := range cfg.People {
		s.people = append(s.people, &p)
	}
	for _, c := range cfg.Channels {
		s.channels = append(s.channels, newRoom(c))
	}
	return s, nil
}

// Handler serves the Web API, Sign in with Slack, response URLs and the Socket Mode link.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveMethod)
	mux.HandleFunc("POST /commands/{team}/{id}/{secret}", s.serveHook)
	mux.HandleFunc("POST /actions/{team}/{id}/{secret}", s.serveHook)
	mux.HandleFunc("GET /link/", s.serveSocket)
	mux.HandleFunc("GET /.well-known/openid-configuration", s.serveDiscovery)
	mux.HandleFunc("GET /openid/connect/keys", s.serveKeys)
	mux.HandleFunc("GET /openid/connect/authorize", s.serveAuthorize)
	mux.HandleFunc("POST /openid/connect/authorize", s.serveConsent)
	return mux
}

// Close ends all Socket Mode connections and waits for them.
func (s *Server) Close() { s.sockets.close() }

// SetRequestURLs points the app at where it listens, which is known only after the fake Slack has its own address.
func (s *Server) SetRequestURLs(commands, interactions, events string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.App.CommandURL, s.cfg.App.InteractionURL, s.cfg.App.EventURL = commands, interactions, events
}

// SetHome switches the app's Home tab on or off, as its settings do.
func (s *Server) SetHome(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.homeOff = !on
}

// SetSocketMode switches the app between Socket Mode and request URLs.
func (s *Server) SetSocketMode(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.App.SocketMode = on
}

// App returns the app's registration.
func (s *Server) App() App {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.App
}

// newID makes an identifier that was not used before. The lock is held.
func (s *Server) newID(prefix string) string {
	s.lastID++
	return fmt.Sprintf("%s0%07X", prefix, s.lastID)
}

// newTS makes a message timestamp, which is unique because it always grows. The lock is held.
func (s *Server) newTS() string {
	now := s.cfg.Clock().Truncate(time.Microsecond)
	if !now.After(s.lastTS) {
		now = s.lastTS.Add(time.Microsecond)
	}
	s.lastTS = now
	return fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000)
}

// InstalledIn is what the app is configured with: the organisation's id where there is one, else the workspace's.
func (s *Server) InstalledIn() string {
	if s.cfg.Workspace.Enterprise != "" {
		return s.cfg.Workspace.Enterprise
	}
	return s.cfg.Workspace.ID
}
