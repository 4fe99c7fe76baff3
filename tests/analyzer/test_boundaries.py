"""Suggested actions that commit us or decide a principle need a person; engineering does not."""

from __future__ import annotations

import pytest

from analyzer.boundaries import RULES, check

NEEDS_A_PERSON = {
    "money": [
        "Issue a full refund to the customer.",
        "Refund the order and close the ticket",
        "Reproduce the double charge on /checkout and refund the affected customers.",
        "Offer a 20% discount as an apology.",
        "Compensate the user for the lost hours",
        "Consider issuing a partial refund.",
        "Credit their account with one month.",
        "Give the reporter a voucher.",
        "The customer should be reimbursed.",
        "A refund should be issued today.",
        "Waive the late fee for this member.",
        "Ask support to refund the payment.",
        "Send them a free replacement",
        "Extend a goodwill credit to everyone affected",
        "Make it up to the customer with a free month.",
    ],
    "promise": [
        "Let the customer know we will fix this by Friday.",
        "Promise to add dark mode next quarter.",
        "Guarantee delivery before Christmas.",
        "Assure the user that it cannot happen again.",
        "Tell them it will be fixed next week.",
        "Commit to a release date for the export.",
        "Give the customer an ETA.",
        "Confirm the release date to the reporter",
        "Reproduce it; it will be resolved within two days.",
    ],
    "contact": [
        "E-mail the reporter for the browser version.",
        "Reply to the customer with a workaround.",
        "Call the customer back.",
        "Reach out to the user for more details.",
        "Follow up with the visitor.",
        "Let them know the filter works again.",
        "Fix the login loop on /login, then notify the affected users.",
        "Apologise for the trouble.",
        "Thank the author for the kind words.",
        "Send the customer a link to the guide",
        "Draft a reply to the reporter",
        "Ask the visitor which device they use.",
        "Get in touch with the hosting provider",
        "The reporter should be informed.",
        "Schedule a call with the client",
    ],
    "publish": [
        "Publish a statement about the outage.",
        "Announce the new feature to all members.",
        "Apologise publicly.",
        "Post an update on Twitter.",
        "Use this quote as a testimonial.",
        "Issue a press release.",
        "Write and publish the missing guide on webhooks.",
        "Update the status page to say that all is well",
    ],
    "erase": [
        "Delete the user's account.",
        "Wipe the account.",
        "Erase all personal data of the reporter.",
        "Purge the customer records from the backup.",
        "Remove their review.",
        "Suspend the account until it is clear who wrote this.",
        "Ban the user.",
        "Find the cause and delete the affected accounts.",
        "The profile should be deleted.",
        "Close their account",
        "Drop the orders table and import it again",
    ],
    "terms": [
        "Lower the price of the Pro plan.",
        "Cancel the subscription.",
        "Update the refund policy.",
        "Write a privacy policy.",
        "Change the terms of service so that this is allowed.",
        "Document the refund policy in the FAQ.",
        "Add a section on the return policy.",
        "Extend the contract by a year.",
        "Make an exception for this member.",
        "Honour the old price for this order",
        "Upgrade the customer to the Pro plan",
    ],
    "law": [
        "Confirm we are GDPR-compliant.",
        "Decide whether the picture infringes copyright.",
        "Accept liability for the damage.",
        "State that the banner is legal.",
        "Respond to the DMCA notice.",
        "Process the erasure request.",
        "Take down the photo.",
        "Check GDPR compliance of the cookie banner.",
        "Reject the legal claim.",
        "Explain that we are not liable for lost parcels.",
    ],
    "privacy": [
        "Share the customer's address with the courier.",
        "Log in as the customer and reproduce the problem.",
        "Look into their mailbox.",
        "Hand over the logs with their details",
        "Give the reporter access to the customer account",
        "Identify the person behind this comment.",
        "Reset the user's password.",
        "Collect more personal data at sign-up.",
        "Send the order data to a third party",
        "Extend the retention period of the logs to five years.",
    ],
    "safety": [
        "Tell parents the toy is safe.",
        "Decide whether the charger is dangerous.",
        "Recall the product.",
        "Ignore the threat.",
        "Call the police.",
        "Give medical advice on the dosage.",
        "Disable the age verification",
    ],
    "values": [
        "Decide whether the joke is offensive.",
        "Take a stance on the election.",
        "Hide negative reviews.",
        "Dismiss the complaint.",
        "Reprimand the support agent.",
        "Judge if the moderation was fair.",
        "Remove the offensive wording from the guide",
    ],
}
ENGINEERING = [
    "Reproduce the failing refund button on /orders and fix it.",
    "Fix the delete button.",
    "Fix the contact form.",
    "Fix the broken link to the refund policy in the footer.",
    "Document the refund policy page's missing link.",
    "Add the missing link to the privacy policy in the footer.",
    "Write a failing test for the refund webhook and trace it to the component that breaks.",
    "Add a regression test for cancelling a subscription twice.",
    "Await the promise in checkout.js and handle the rejection.",
    "Handle the rejected promise in the upload component.",
    "Use a transaction to guarantee that a row is written once.",
    "Guarantee at-least-once delivery in the worker queue.",
    "Commit the migration and run it on staging.",
    "Add a retry to the e-mail sending job.",
    "Fix the sending of the confirmation e-mail.",
    "Accept plus signs in the e-mail field validation.",
    "Call the API with a timeout of five seconds.",
    "Call save() once instead of twice.",
    "Call the user service only after login.",
    "Respond with 404 for missing ids.",
    "Return the reply-to header unchanged.",
    "Show users an error message when the upload fails.",
    "Ask the user for confirmation before deleting a project.",
    "Tell the user in the error message which field is wrong.",
    "Notify users with a toast when saving fails.",
    "Announce the error to screen readers with aria-live.",
    "Publish the event to the message queue after the commit.",
    "Fix the publish button in the editor.",
    "Release the database connection after each request.",
    "Release the lock before the callback runs.",
    "Post the form with fetch and show the answer.",
    "Remove the duplicate link in the header.",
    "Delete the dead code in cart.js.",
    "Delete the stale comment in settings.py.",
    "Drop the unused index on orders.",
    "Purge the CDN cache for /pricing.",
    "Clear the form after it was sent.",
    "Remove the account menu overlap on phones.",
    "Close the user menu on Escape.",
    "Block the double submit of the order form.",
    "Lock the account row while the balance is written.",
    "Fix account deletion so that it also clears the cache.",
    "Fix the page where customers cannot delete their account.",
    "Make sure users can edit and delete their account on a phone.",
    "Fix the price rounding on /cart.",
    "Update the price label alignment.",
    "Update the price when the quantity changes.",
    "Right-align the price column.",
    "Correct the typo on the terms page.",
    "Reduce the loading time of the pricing page.",
    "Cancel the pending request when the dialog closes.",
    "Accept the terms checkbox by keyboard.",
    "Raise the upload limit error earlier.",
    "Check the contrast against WCAG 2.2 AA.",
    "Fix the cookie banner's reject button.",
    "Reject illegal characters in the file name.",
    "Check that the legal page renders on phones.",
    "Route the legal letter to the people responsible.",
    "Escalate to the on-call engineer.",
    "Assign it to the payments team.",
    "Export the chart as SVG.",
    "Fix the CSV export of user data.",
    "Give the button an accessible name.",
    "Read the user's locale from the header.",
    "Log the request id with each error.",
    "Mask the e-mail address in the page title.",
    "Fix the password reset link.",
    "Share the state between the two components.",
    "Make the parser thread-safe.",
    "Respect the safe area on phones with a notch.",
    "Check whether it is safe to retry the job.",
    "Fix the position of the sticky header.",
    "Ignore the deprecation warning in the build log.",
    "Fire the change event after the value is set.",
    "Reject tokens that have expired.",
    "Deny requests without a valid signature.",
    "Add a content security policy header.",
    "Validate the negative numbers in the review form.",
    "Reproduce “I want my money refunded now” on /orders, note browser and steps, and fix what fails.",
    "Share “great work” on /home with the people who built it; nothing to fix.",
    "Add “dark mode” on /settings to the backlog and count who else asked for it.",
    "Find the page that should answer “how do refunds work” and draft the missing passage.",
    "Today: Reproduce “cannot log in” on /login, note browser and steps, and fix what fails.",
]


@pytest.mark.parametrize(
    ("rule", "action"), [(rule, action) for rule, actions in NEEDS_A_PERSON.items() for action in actions]
)
def test_an_action_beyond_the_limits_names_its_rule(rule: str, action: str) -> None:
    assert rule in {boundary.rule for boundary in check(action)}


@pytest.mark.parametrize("action", ENGINEERING)
def test_engineering_is_left_alone(action: str) -> None:
    assert check(action) == ()


def test_the_samples_are_many_enough_to_mean_something() -> None:
    assert sum(map(len, NEEDS_A_PERSON.values())) >= 40
    assert len(set(ENGINEERING)) >= 40
    assert set(NEEDS_A_PERSON) == {rule.name for rule in RULES}


@pytest.mark.parametrize(
    "action",
    [
        "ISSUE A FULL REFUND",
        "issue\na full   refund",
        "Issue a “full” refund",
        "1) Fix the form 2) then, issue a full refund",
        "- Issue a full refund",
        "Fix the form, and also please issue a full refund!",
        "Let's issue a full refund",
    ],
)
def test_layout_and_case_do_not_hide_an_action(action: str) -> None:
    assert {boundary.rule for boundary in check(action)} == {"money"}


def test_each_rule_is_named_once_with_its_reason() -> None:
    boundaries = check(
        "Refund the customer, refund the other customer, e-mail both customers and delete their accounts."
    )
    assert [boundary.rule for boundary in boundaries] == ["money", "contact", "erase"]
    assert all("person" in boundary.reason or "people" in boundary.reason for boundary in boundaries)


@pytest.mark.parametrize("piece", ["refund the ", "and ", "the a ", "we will ", "send the the the ", "(", "decide "])
def test_long_actions_come_back(piece: str) -> None:
    assert isinstance(check((piece * 2_000)[:5_000]), tuple)
