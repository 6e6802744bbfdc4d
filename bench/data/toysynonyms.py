"""Other ways to say what the templates of the toystories say."""

# wherever a template has the first of a line, one of the line is said; an early one is drawn more often
SYNONYMS = """
did not, didn't
could not, couldn't
was not, wasn't
do not, don't
I am, I'm
I will, I'll
began to, started to
saw, saw, spotted, noticed
looked at, stared at, gazed at, peered at
a lot of, lots of, plenty of
for a long time, for a long while, for ages
ran, ran, hurried, rushed, dashed
ran and ran, ran and ran
walked, strolled, wandered
smiled, grinned, beamed
laughed, giggled, chuckled
jumped, hopped, leaped
at once, right away, immediately
at last, finally, at long last
because, because, since
until, until, till
loud, loud, noisy
hard work, a lot of work, tiring work
old, old, ancient
tired, tired, sleepy, worn out
hungry, hungry, starving
brave, brave, courageous, bold
strange, strange, odd, unusual, peculiar
dirty, dirty, dusty, muddy, sticky
warm, warm, cozy
sick, sick, ill
path, path, trail, track
street, street, road, lane
a piece of, a piece of, a bit of, a slice of
tummy, tummy, belly, stomach
Everyone, Everyone, Everybody
everyone, everyone, everybody
nobody, nobody, no one
okay, okay, all right, fine
of course, of course, sure
afraid of, afraid of, scared of
closed, closed, shut
again and again, again and again, over and over, time after time
once more, once more, again
whole, whole, entire
next to, next to, beside
picked up, picked up, lifted up
fell over, fell over, tripped over, stumbled over
fell into, fell into, tumbled into
asked for, asked for, begged for
came running, came running, ran over, hurried over
thought about, thought about, thought of
woke up, woke up, got up
very much, very much, so much, a lot
all day long, all day long, the whole day, from morning till night
in the world, in the world, anywhere, on earth
wet, wet, wet, soaked
cold, cold, chilly, freezing
stayed, stayed, remained
a little better, a little better, a bit better, much better
held, held, clutched
hugged, hugged, cuddled, squeezed
children, children, kids, boys and girls
present, present, gift
quiet, quiet, silent
dark, dark, gloomy
Maybe, Maybe, Perhaps
wanted to, wanted to, wanted to, longed to, wished to
found out, found out, learned
found, found, found, discovered
went to, went to, went to, walked to
sat down, sat down, settled down
Then, Then, Then, Then, After that
But, But, But, But, But, Yet
Thank you, Thank you, Thanks
Oh no, Oh no, Oh dear
clapped, clapped, cheered
loved to, loved to, liked to
met, met, met, ran into
threw, threw, tossed
pulled, pulled, pulled, tugged
the only one, the only one
only, only, only, just
funny, funny, silly
happy, happy, cheerful
the ground, the ground, the floor
did not know what, did not know what, had no idea what
did not know where, did not know where, had no idea where
could see, could see, saw
Can you, Can you, Could you
Can I, Can I, Could I, May I
We can, We can, We could
The next day, The next day, The day after
a bit, a bit, a little
far away, far away, miles away
friends, friends, friends, friends, pals
any more, any more, any longer
went home, went home, walked home
came home, came home, came back
took a deep breath, took a deep breath, breathed in deeply
looked around, looked around, looked left and right
so much, so much, very much
gave up, gave up, stopped trying
by the road, by the road, at the corner
every day, every day, each day
"""
