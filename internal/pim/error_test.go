package pim_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"elevate/internal/pim"
)

func TestWrappedErrorsKeepTheirSentence(t *testing.T) {
	inner := pim.Errorf(pim.Forbidden, "You cannot decide request %s.", "k7m2pq")
	inner.Code = "RoleAssignmentRequestAcrsValidationFailed"
	err := fmt.Errorf("deciding: %w", fmt.Errorf("patch: %w", inner))
	if got := pim.Explain(err); got != inner {
		t.Errorf("got %+v", got)
	}
	if !pim.IsKind(err, pim.Forbidden) || pim.IsKind(err, pim.Invalid) || pim.IsKind(nil, pim.Internal) {
		t.Error("the kind got lost")
	}
}

func TestForeignErrorsGiveNothingAway(t *testing.T) {
	err := errors.New("dial tcp 10.0.0.7:443: token=s3cret")
	got := pim.Explain(err)
	if got.Kind != pim.Internal || strings.Contains(got.Message, "10.0.0.7") || strings.Contains(got.Message, "s3cret") {
		t.Errorf("got %+v", got)
	}
	if pim.IsKind(err, pim.Internal) {
		t.Error("a foreign error carries no kind")
	}
}
