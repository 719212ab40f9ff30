package entra

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	jsonformat "github.com/microsoft/kiota-serialization-json-go"
	textformat "github.com/microsoft/kiota-serialization-text-go"

	"elevate/internal/pim"
	"elevate/internal/secret"
)

// callTimeout bounds one call to Graph, from the dial to the last byte of the answer.
const callTimeout = 30 * time.Second

// PersonToken gives the access token of a signed-in person. Claims is a claims challenge (JSON) that the token has to
// satisfy, or empty. What cannot be had without a new sign-in is a *pim.Error of kind SignIn with these Claims.
type PersonToken func(ctx context.Context, as pim.Actor, claims string) (token secret.Text, expires time.Time, err error)

// Config is what a Client needs.
type Config struct {
	// Graph is the address of Microsoft Graph, without the version.
	Graph string
	// Transport carries the calls. Nil means the default one.
	Transport http.RoundTripper
	// AppCredential is the application's own identity. It only reads.
	AppCredential azcore.TokenCredential
	// PersonToken gives the tokens of signed-in people.
	PersonToken PersonToken
	// SamePersonAttribute is the user attribute that is equal for all accounts of one person; empty or "none" reads none.
	SamePersonAttribute string
	Now                 func() time.Time
	Logger              *slog.Logger
	// Metrics is told the status of every call and of every part of a batch, 0 where no answer came. It may be nil.
	Metrics func(operation string, status int)
}

// Client is the connection to one tenant's Graph. It is safe for concurrent use.
type Client struct {
	base      *url.URL // with the version, without a slash at the end
	transport http.RoundTripper
	app       azcore.TokenCredential
	scopes    []string // what a token is asked for
	person    PersonToken
	same      attribute
	log       *slog.Logger
	metrics   func(operation string, status int)
	clock     clock
	readers   *serialization.ParseNodeFactoryRegistry
	writers   *serialization.SerializationWriterFactoryRegistry
	questions *call // what the SDK's builders make the questions of a batch with; nothing is sent through it
}

// New makes a client. It calls nobody.
func New(cfg Config) (*Client, error) {
	base, err := graphBase(cfg.Graph)
	if err != nil {
		return nil, err
	}
	same, err := attributeNamed(cfg.SamePersonAttribute)
	if err != nil {
		return nil, err
	}
	if cfg.AppCredential == nil || cfg.PersonToken == nil || cfg.Now == nil || cfg.Logger == nil {
		return nil, errors.New("entra: AppCredential, PersonToken, Now and Logger are needed")
	}
	c := &Client{
		base: base, transport: cfg.Transport, app: cfg.AppCredential, person: cfg.PersonToken,
		same: same, log: cfg.Logger, metrics: cfg.Metrics, clock: clock{now: cfg.Now},
		readers: serialization.NewParseNodeFactoryRegistry(), writers: serialization.NewSerializationWriterFactoryRegistry(),
	}
	if c.transport == nil {
		c.transport = defaultTransport()
	}
	c.scopes = []string{base.Scheme + "://" + base.Host + "/.default"}
	if c.metrics == nil {
		c.metrics = func(string, int) {}
	}
	c.registerFormats()
	c.questions, err = c.asApp(opBatch)
	return c, err
}

// registerFormats registers JSON, and text for counts, with this client alone.
func (c *Client) registerFormats() {
	c.readers.ContentTypeAssociatedFactories["application/json"] = jsonformat.NewJsonParseNodeFactory()
	c.readers.ContentTypeAssociatedFactories["text/plain"] = textformat.NewTextParseNodeFactory()
	c.writers.ContentTypeAssociatedFactories["application/json"] = jsonformat.NewJsonSerializationWriterFactory()
	c.writers.ContentTypeAssociatedFactories["text/plain"] = textformat.NewTextSerializationWriterFactory()
}

func graphBase(address string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || base.Scheme != "https" || base.Host == "" || base.Path != "" || base.RawQuery != "" || base.User != nil {
		return nil, errors.New("entra: the address of Graph must be https://host without a path")
	}
	base.Path = "/v1.0"
	return base, nil
}

// defaultTransport has a limit for every step of a call.
func defaultTransport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConns: 32, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: callTimeout,
	}
}

// attribute is a user attribute that may be read: the property to select, and the name inside it where it has parts.
type attribute struct {
	property, part string
}

var (
	directoryExtension = regexp.MustCompile(`^extension_[0-9a-f]{32}_\w+$`)
	extensionAttribute = regexp.MustCompile(`^(?:onPremisesExtensionAttributes/)?extensionAttribute(?:[1-9]|1[0-5])$`)
)

func attributeNamed(name string) (attribute, error) {
	switch {
	case name == "" || name == "none":
		return attribute{}, nil
	case name == "employeeId" || name == "onPremisesImmutableId" || directoryExtension.MatchString(name):
		return attribute{property: name}, nil
	case extensionAttribute.MatchString(name):
		_, part, nested := strings.Cut(name, "/")
		if !nested {
			part = name
		}
		return attribute{property: "onPremisesExtensionAttributes", part: part}, nil
	}
	return attribute{}, fmt.Errorf("entra: %q cannot say who is the same person; use employeeId, onPremisesImmutableId, "+
		"extensionAttribute1 to extensionAttribute15, or a directory extension", name)
}
