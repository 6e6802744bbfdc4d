"""Tables of what a toystory is about, most frequent first: one row a line, its fields between slashes."""

# noun, then the verb for using it (go and, has, was), then a part that can break; "-" where nothing would
THINGS = """
ball/throw/threw/throwing/-
doll/hug/hugged/hugging/arm
kite/fly/flew/flying/tail
toy car/push/pushed/pushing/wheel
teddy bear/hug/hugged/hugging/ear
book/read/read/reading/cover
truck/roll/rolled/rolling/wheel
boat/sail/sailed/sailing/mast
drum/beat/beat/beating/strap
hat/wear/wore/wearing/brim
bike/ride/rode/riding/chain
robot/wind/wound/winding/leg
train/pull/pulled/pulling/wheel
puzzle/solve/solved/solving/frame
balloon/hold/held/holding/-
puppet/move/moved/moving/string
scarf/wear/wore/wearing/-
top/spin/spun/spinning/handle
wagon/pull/pulled/pulling/handle
guitar/play/played/playing/string
scooter/ride/rode/riding/wheel
necklace/wear/wore/wearing/clasp
toy plane/fly/flew/flying/wing
trumpet/blow/blew/blowing/-
umbrella/open/opened/opening/handle
bell/ring/rang/ringing/-
yo-yo/swing/swung/swinging/string
bucket/fill/filled/filling/handle
mirror/polish/polished/polishing/frame
whistle/blow/blew/blowing/-
sled/pull/pulled/pulling/rope
music box/wind/wound/winding/lid
rocket/launch/launched/launching/wing
basket/carry/carried/carrying/handle
marble/roll/rolled/rolling/-
flute/play/played/playing/-
blanket/fold/folded/folding/corner
toy dinosaur/feed/fed/feeding/tail
paint box/use/used/using/lid
jump rope/swing/swung/swinging/handle
lantern/light/lit/lighting/handle
magnet/use/used/using/-
toy horse/brush/brushed/brushing/leg
flashlight/use/used/using/switch
crown/wear/wore/wearing/tip
magic wand/wave/waved/waving/star
compass/use/used/using/needle
camera/hold/held/holding/strap
snow globe/shake/shook/shaking/-
"""

# preposition, place, then o (open air) or i (indoors)
PLACES = """
at/the park/o
in/the garden/o
in/the forest/o
at/the beach/o
in/the yard/o
on/the farm/o
by/the river/o
by/the pond/o
on/the hill/o
at/the playground/o
in/the woods/o
in/the meadow/o
by/the lake/o
at/the zoo/o
on/the street/o
in/the field/o
at/the market/o
in/the village square/o
near/the bridge/o
on/the mountain/o
at/the harbor/o
in/the orchard/o
in/the valley/o
on/the island/o
in/the backyard/o
at/the bus stop/o
in/the kitchen/i
at/school/i
in/the attic/i
at/the library/i
in/the living room/i
in/the barn/i
at/the shop/i
at/Grandma's house/i
in/the basement/i
at/the museum/i
in/the playroom/i
in/the castle/i
in/the treehouse/i
"""

# base, -ing form and past of something done for fun, then the words that follow all three
GAMES = """
jump/jumping/jumped/in puddles
climb/climbing/climbed/trees
play/playing/played/hide and seek
sing/singing/sang/funny songs
run/running/ran/in the grass
draw/drawing/drew/pictures
chase/chasing/chased/butterflies
dance/dancing/danced/to music
build/building/built/towers
pick/picking/picked/flowers
collect/collecting/collected/shells
dig/digging/dug/deep holes
play/playing/played/tag
tell/telling/told/stories
count/counting/counted/the clouds
swing/swinging/swung/on the swings
roll/rolling/rolled/down the hill
feed/feeding/fed/the ducks
play/playing/played/with blocks
bake/baking/baked/mud pies
look/looking/looked/at the stars
splash/splashing/splashed/in the water
read/reading/read/old books
blow/blowing/blew/bubbles
paint/painting/painted/stones
catch/catching/caught/leaves
skip/skipping/skipped/along the path
gather/gathering/gathered/acorns
make/making/made/paper boats
watch/watching/watched/the birds
slide/sliding/slid/on the ice
play/playing/played/pirates
ride/riding/rode/a bike
tell/telling/told/jokes
kick/kicking/kicked/pine cones
whistle/whistling/whistled/a tune
fish/fishing/fished/for treasure
search/searching/searched/for bugs
"""

# a skill (base, -ing, past), a first failure (past), and what the trick is
SKILLS = """
ride a bike/riding a bike/rode the bike all the way down the street/fell into the grass/look ahead and keep pedaling
swim/swimming/swam from one side to the other/swallowed a lot of water/kick your legs like a frog
whistle/whistling/whistled a whole song/only blew air/make your lips round and small
tie a bow/tying a bow/tied a perfect bow/got the laces in a knot/make two loops like bunny ears
climb the old tree/climbing/climbed to the very top/slid down and scraped a knee/test each branch first
skate on the ice/skating/skated in a big circle/landed on the ice with a bump/bend your knees and lean forward
catch a ball/catching/caught the ball with one hand/dropped it again and again/keep your eyes on the ball
bake bread/baking/baked a warm, golden loaf/burned the crust until it was black/wait until the dough grows
juggle/juggling/juggled three oranges/got hit on the nose by an orange/start with just one
draw a horse/drawing/drew a horse that seemed to gallop/made a drawing like a potato with legs/begin with simple circles
play the violin/playing the violin/played a sweet little song/made a terrible screech/hold the bow gently
jump rope/jumping rope/jumped twenty times in a row/got tangled in the rope/listen to the rhythm
read/reading/read a whole page out loud/mixed up all the letters/sound out one letter at a time
row a boat/rowing/rowed across the pond/only went around in circles/pull with both arms together
dance/dancing/danced across the room without a mistake/stepped on everyone's toes/count to four with the music
throw a ring/throwing rings/threw the ring right over the post/hit a flower pot instead/swing your arm slowly
do a cartwheel/doing cartwheels/did a perfect cartwheel/tumbled over sideways/put your hands down one after the other
ski/skiing/skied down the hill without falling/crashed into a heap of snow/make the shape of a pizza slice
knit/knitting/knitted a long scarf/dropped every stitch/count the loops
fly a kite/flying a kite/flew the kite above the rooftops/ran until the kite hit a bush/wait for the wind
speak up in class/speaking up/told the whole class a story/forgot every word/take one deep breath
sail a boat/sailing/sailed around the little island/got stuck in the reeds/feel where the wind comes from
make a fire/making a fire/made a small, warm campfire/got nothing but smoke/use dry sticks and be careful
"""

# a dish, then how one asks for it
DISHES = """
soup/some soup
pancakes/pancakes
cake/a cake
cookies/cookies
pie/a pie
pizza/a pizza
muffins/some muffins
jam/a jar of jam
bread/a loaf of bread
pudding/a big pudding
salad/a salad
stew/a pot of stew
gingerbread/gingerbread
pasta/a plate of pasta
"""
