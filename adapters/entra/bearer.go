package entra

import (
	"context"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	kiota "github.com/microsoft/kiota-abstractions-go"

	"elevate/internal/pim"
	"elevate/internal/secret"
)

// tokenSource gives a token that satisfies claims (JSON), or any token when claims is empty.
type tokenSource func(ctx context.Context, claims string) (secret.Text, error)

// appTokens reads as the application.
func appTokens(credential azcore.TokenCredential, scopes []string) tokenSource {
	return func(ctx context.Context, claims string) (secret.Text, error) {
		token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: scopes, EnableCAE: true, Claims: claims})
		if err != nil {
			return secret.Text{}, credentialError(ctx, err)
		}
		return secret.New(token.Token), nil
	}
}

// personTokens acts as a signed-in person.
func personTokens(person PersonToken, as pim.Actor) tokenSource {
	return func(ctx context.Context, claims string) (secret.Text, error) {
		token, _, err := person(ctx, as, claims)
		return token, err
	}
}

// tokenError says that there was no token to send a call with. Its cause is what the person is told.
type tokenError struct{ cause error }

func (e *tokenError) Error() string { return e.cause.Error() }

// bearer puts the token on a call. Unlike the SDK's own providers it never lets a call go out without one, and it does
// not send again what a challenge has just refused.
type bearer struct {
	graph  *url.URL
	tokens tokenSource
	last   secret.Text // the token that this call was sent with
}

// AuthenticateRequest implements the SDK's authentication.
func (b *bearer) AuthenticateRequest(ctx context.Context, request *kiota.RequestInformation, extra map[string]any) error {
	target, err := request.GetUri()
	if err != nil {
		return pim.Errorf(pim.Internal, "Elevate made an address that Microsoft Graph does not have. Tell an administrator.")
	}
	if target.Scheme != b.graph.Scheme || !strings.EqualFold(target.Host, b.graph.Host) {
		return pim.Errorf(pim.Internal, "Elevate refused to send a token to a host that is not Microsoft Graph. Tell an administrator.")
	}
	claims := challengeOf(extra)
	token, err := b.tokens(ctx, claims)
	if err != nil {
		return &tokenError{err}
	}
	if token.IsZero() || (claims != "" && token.Reveal() == b.last.Reveal()) {
		return &tokenError{&pim.Error{Kind: pim.SignIn, Message: signInAgain, Claims: claims}}
	}
	b.last = token
	request.Headers.Remove("Authorization")
	request.Headers.Add("Authorization", "Bearer "+token.Reveal())
	return nil
}

// challengeOf reads the challenge that the SDK hands over after a 401, base64 of JSON.
func challengeOf(extra map[string]any) string {
	encoded, ok := extra["claims"].(string)
	if !ok {
		return ""
	}
	claims, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	return string(claims)
}
