"""What must come of an incident of the shop, from its cause to the pager."""


def test_checkout_burn_pages_checkout(sre):
    incident = sre.burn(slo="checkout-availability", error_ratio=0.05)
    page = incident.expect_page("CheckoutErrorBudgetBurnFast", receiver="pagerduty-checkout", within="20m")
    assert "runbooks.shop.example/checkout" in page.text
    incident.expect_no_page(receiver="pagerduty-payments")


def test_checkout_and_payments_page_their_own_teams(sre):
    incident = sre.together(
        "CheckoutErrorBudgetBurnFast", "CheckoutErrorBudgetBurnSlow", "PaymentsErrorBudgetBurnFast"
    )
    checkout, *_ = incident.expect_notifications(
        {
            "pagerduty-checkout": "CheckoutErrorBudgetBurnFast",
            "pagerduty-payments": "PaymentsErrorBudgetBurnFast",
            "audit-log": ["CheckoutErrorBudgetBurnFast", "PaymentsErrorBudgetBurnFast"],
        }
    )
    assert "error" in checkout.title
    incident.expect_inhibited("CheckoutErrorBudgetBurnSlow")


def test_who_hears_of_a_ticket(sre):
    ticket = {"alertname": "Any", "severity": "ticket"}
    assert sre.route({**ticket, "team": "platform"}) == ("audit-log", "email-platform")
    assert sre.route({**ticket, "team": "checkout"}) == ("audit-log", "slack-tickets")
