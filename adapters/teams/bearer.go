package teams

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/infracloudio/msbotbuilder-go/connector/auth"
	"github.com/infracloudio/msbotbuilder-go/schema"
)

const (
	channelTeams = "msteams"
	// leeway is how far the connector's clock may be from ours.
	leeway = 5 * time.Minute
	// maxToken is far above what the connector sends.
	maxToken = 8 << 10
)

// claims are what a checked token says of the activity it came with.
type claims struct {
	jwt.Claims
	ServiceURL string `json:"serviceurl"`
	key        key
}

// GetClaimValue returns a claim, or "" when there is none; for the library.
func (c *claims) GetClaimValue(name string) string {
	switch name {
	case "serviceurl":
		return c.ServiceURL
	case "iss":
		return c.Issuer
	case "aud":
		return strings.Join(c.Audience, " ")
	}
	return ""
}

// IsAuthenticated is true: there are no claims of a token that was not checked.
func (c *claims) IsAuthenticated() bool { return true }

// bearer checks the tokens of the connector. It is the library's
// TokenValidator; nothing switches it off.
type bearer struct {
	appID  string
	tenant string
	issuer string
	keys   *keySet
	hosts  func(*url.URL) bool // where the connector may be
	now    func() time.Time
}

var _ auth.TokenValidator = (*bearer)(nil)

type provedKey struct{}

// proved passes the claims of the token that was checked before the body was
// read to AuthenticateRequest.
func proved(ctx context.Context, c *claims) context.Context {
	return context.WithValue(ctx, provedKey{}, c)
}

// token checks what a token says by itself: who signed it, for whom, until when.
func (b *bearer) token(ctx context.Context, header string) (*claims, error) {
	scheme, raw, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || len(raw) > maxToken || strings.Count(raw, ".") != 2 {
		return nil, errors.New("there is no bearer token")
	}
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(parsed.Headers) != 1 || parsed.Headers[0].KeyID == "" {
		return nil, errors.New("the token cannot be read")
	}
	k, err := b.keys.key(ctx, parsed.Headers[0].KeyID)
	if err != nil {
		return nil, err
	}
	c := &claims{key: k}
	if err := parsed.Claims(k.Key, c); err != nil {
		return nil, errors.New("the token's signature is wrong")
	}
	if c.Expiry == nil {
		return nil, errors.New("the token does not end")
	}
	if err := c.ValidateWithLeeway(jwt.Expected{Issuer: b.issuer, AnyAudience: jwt.Audience{b.appID}, Time: b.now()}, leeway); err != nil {
		return nil, errors.New("the token is not for this bot, or not now")
	}
	if c.Issuer == "" || c.ServiceURL == "" {
		return nil, errors.New("the token does not say where it comes from")
	}
	return c, nil
}

// AuthenticateRequest checks that the activity is what the token was made for,
// and that it is of our tenant; for the library, whose credentials are not used.
func (b *bearer) AuthenticateRequest(ctx context.Context, a schema.Activity, header string, _ auth.CredentialProvider, _ string) (auth.ClaimsIdentity, error) {
	c, ok := ctx.Value(provedKey{}).(*claims)
	if !ok {
		var err error
		if c, err = b.token(ctx, header); err != nil {
			return nil, err
		}
	}
	at, err := url.Parse(a.ServiceURL)
	switch {
	case err != nil || !sameAddress(c.ServiceURL, a.ServiceURL):
		return nil, errors.New("the activity comes from another service than the token")
	case !b.hosts(at):
		return nil, errors.New("the activity names a service that is not Microsoft's")
	case a.ChannelID != channelTeams || !c.key.endorses(a.ChannelID):
		return nil, errors.New("the token's key is not for this channel")
	}
	return c, nil
}

// sameAddress compares addresses as Microsoft's own clients do: case and a slash
// at the end aside.
func sameAddress(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
