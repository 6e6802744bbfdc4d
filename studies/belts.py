"""The gradings that ship, as data: who fights for the belts, and which fighter is taken apart."""

# The policy of a study that grades the fighter it begins with, on as many seeds as it has trials.
GRADE = "grade"
SEEDS = 3
STUDIES = "measured-belts"
# Division and file of each, in the order of their fights. Three of them are the baseline, which others have to beat and
# which is run once; of their challengers the cheap ones come first.
FIGHTERS = (
    ("optimizer", "optimizer-adamw"),
    ("optimizer", "optimizer-muon"),
    ("open", "open-trigram_hash-hyena-muon-normuon"),
    ("open", "open-ln_scale-muon-ema"),
    ("attention", "attention-softmax"),
    ("precision", "precision-fp32"),
    ("state-space", "state-space-softmax"),
    ("community", "community-double_conv"),
    ("attention", "attention-sliding_window"),
    ("precision", "precision-int8_ste"),
    ("state-space", "state-space-s4d"),
    ("state-space", "state-space-hyena"),
)

ABLATION = "measured-ablation"
CHAMPION = "open-trigram_hash-hyena-muon-normuon"
CHAMPIONS_STUDY = f"{STUDIES}-{CHAMPION}"
# what the baseline does not have; each is left out once, all else equal to the last knob (NorMuon goes with Muon)
LEFT_OUT = ("trigram_hash", "hyena", "muon", "normuon")
