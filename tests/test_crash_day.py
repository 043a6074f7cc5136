"""kill -9 over a day of changes of all services, one after the other, as a seed has them.

What was acknowledged is there after each restart, and the call in flight was made wholly or not at all.
"""

import os
import random
import shutil
import threading
import time
from pathlib import Path

import pytest

from harness.day_writers import BUCKET, Certificates, Instances, Networks, PrefixLists, Shifts, TrustStores
from harness.key import Key
from harness.shop import Shop
from harness.writers import Balancers, Rules, SecurityGroups, TargetGroups

FILES = Path(__file__).parent / "certificates"
# At least so many crashes, of which some interrupt a call.
CRASHES, CRASHES_MAX, IN_DOUBT_MIN, CALLS_MAX = 24, 96, 6, 20
OTHER = "210987654321"
# Of the time that a call took lately: from before it is sent to after it was answered.
MOMENTS = (0, 1.25)


@pytest.fixture
def day(make_elbow, tmp_path, network):
    """An elbow with a writer for each kind of thing, and the draw that everything follows."""
    seed = os.environ.get("CRASH_DAY_SEED") or str(random.randrange(10**9))
    print(f"seed {seed}; CRASH_DAY_SEED={seed} in the environment draws the same again")
    shutil.copytree(FILES, tmp_path / "objects" / BUCKET)
    config = tmp_path / "elbow.toml"
    config.write_text(f"[limits]\nvpcs = 100\n[s3]\ndirectory = '{tmp_path}/objects'\n")
    elbow = make_elbow(arguments=["--config", str(config)])
    shop = Shop(elbow)
    balancer = shop.balancer()
    # A second account, of which some things have the names of those of the first.
    elbow.run("account", "create", OTHER, "--vpc-cidr", network.vpc)
    shop_of_other = Shop(Key(elbow, "--account", OTHER, network=network))
    writers = [
        TargetGroups(shop, f"{seed}-1"),
        Rules(shop, f"{seed}-2", balancer, port=9001),
        Balancers(shop, f"{seed}-3"),
        SecurityGroups(shop, f"{seed}-4"),
        Certificates(shop, f"{seed}-5"),
        TrustStores(shop, f"{seed}-6"),
        Networks(shop, f"{seed}-7"),
        PrefixLists(shop, f"{seed}-8"),
        Instances(shop, f"{seed}-9"),
        Shifts(shop, f"{seed}-10", balancer),
        TargetGroups(shop_of_other, f"{seed}-11"),
        Balancers(shop_of_other, f"{seed}-12"),
    ]
    return elbow, writers, random.Random(seed)


@pytest.mark.timeout(1200)
def test_a_day_of_crashes_loses_nothing_and_halves_nothing(day):
    elbow, writers, draw = day
    crashes = in_doubt = 0
    while crashes < CRASHES or in_doubt < IN_DOUBT_MIN:
        assert crashes < CRASHES_MAX, f"{in_doubt} of so many interrupted a call, which shows little"
        calls = draw.randint(1, CALLS_MAX)
        began_at = time.monotonic()
        for _ in range(calls):
            writer = draw.choice(writers)
            assert writer.make(*writer.next_change()), "nothing but the crash interrupts a call"
        call_time = (time.monotonic() - began_at) / calls
        writer = draw.choice(writers)
        crash_during(elbow, writer, draw.uniform(*MOMENTS) * call_time)
        crashes += 1
        in_doubt += writer.book_in_doubt is not None
        elbow.start()
        for writer in writers:
            writer.check()
    survived = sum(writer.survived_in_doubt for writer in writers)
    made = [(type(writer).__name__, writer.acknowledged) for writer in writers]
    print(f"{crashes} crashes, {in_doubt} with a call in flight, of which {survived} were made; acknowledged: {made}")


def crash_during(elbow, writer, delay):
    """Kills elbow while a call is made: before it arrives, while it is worked on, or after its answer."""
    call, after = writer.next_change()
    failed = []

    def make():
        try:
            writer.make(call, after)
        except Exception as error:
            failed.append(error)

    calling = threading.Thread(target=make)
    calling.start()
    calling.join(delay)
    elbow.kill()
    calling.join(timeout=60)
    assert not calling.is_alive() and not failed, f"the call in flight ended with {failed}"
