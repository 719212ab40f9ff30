package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"elevate/internal/pim"
)

// An issuer is an OpenID provider. Its discovery document is read when it is first needed; its keys are read again
// whenever a token names one that is not known yet.
type issuer struct {
	name     string // for people
	url      string
	clientID string
	client   *http.Client
	now      func() time.Time

	mu    sync.Mutex
	found *oidc.Provider
}

// provider gives what discovery said. Nobody waits for a discovery that hangs longer than the client's timeout.
func (i *issuer) provider(ctx context.Context) (*oidc.Provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.found != nil {
		return i.found, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, i.client), i.url)
	if err != nil {
		// The cause would quote the answer.
		return nil, &refusal{why: "discovery", err: pim.Errorf(pim.Unavailable,
			"%s cannot be reached at the moment. Wait a minute and try again.", i.name)}
	}
	i.found = found
	return found, nil
}

// verify checks an ID token in full and reads its claims. Nothing of a token is used before.
func (i *issuer) verify(ctx context.Context, raw, nonce string, claims any) error {
	provider, err := i.provider(ctx)
	if err != nil {
		return err
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: i.clientID, SupportedSigningAlgs: []string{oidc.RS256}, Now: i.now})
	token, err := verifier.Verify(ctx, raw)
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return i.distrust("expired")
	case err != nil:
		return i.distrust("signature, issuer or audience")
	case nonce == "" || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return i.distrust("nonce")
	case token.Claims(claims) != nil:
		return i.distrust("claims")
	}
	return nil
}

// distrust is for what the issuer would not have sent to us. The verifier's own error is left out: it may quote what it
// was given.
func (i *issuer) distrust(what string) error {
	return &refusal{why: i.name + " ID token: " + what, err: pim.Errorf(pim.Forbidden,
		"What came back from %s could not be verified, so nothing was changed. Try again; if it stays, tell an administrator.", i.name)}
}
