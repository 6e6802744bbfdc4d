"""Word lists of the toystories grammar, most frequent first: an early word is drawn more often than a late one."""

WORDS = """
:girl = Lily, Mia, Sue, Anna, Lucy, Sara, Emma, Amy, Jane, Molly, Ella, Rosie, Kate, Zoe, Lola, Ruby, Daisy, Nina,
Polly, Maya, Grace, Ivy, Tina, Bella, Chloe, Alice, Hana, Penny, Mary, Nora, Olivia, Clara, Eva, Lena, Sophie, Betty,
Holly, Ada, Jill, Kim, Leila, Priya, Wendy, Fiona, Gina, Hazel, Iris, Yuki, Carmen, Dora, Esther, Flora, Greta, Heidi,
Ingrid, Juno
:boy = Tom, Tim, Ben, Max, Jack, Sam, Leo, Billy, Bob, Timmy, John, Peter, Jake, Finn, Joe, Mark, Luke, Noah, Adam,
Dan, Oliver, Charlie, Theo, Oscar, Nick, Henry, Eli, Alex, Bobby, Ravi, Omar, Hugo, Felix, Marco, Will, George, Kofi,
Ned, Ryan, Simon, Toby, Walter, Andy, Carl, Diego, Ethan, Frank, Greg, Harry, Ian, Jamal, Kenji, Liam, Milo, Otto,
Paul, Quinn, Ted
:pet = Pip, Fluffy, Spot, Teddy, Coco, Buddy, Poppy, Nibbles, Rex, Hoppy, Whiskers, Bruno, Kiki, Snowy, Pepper, Lulu,
Ziggy, Bingo, Muffin, Mimi, Rusty, Honey, Patches, Dot, Tiki, Chip, Clover, Gus, Bubbles, Hazelnut, Momo, Zippy, Fern,
Sunny, Tuck
:species = rabbit, bear, mouse, fox, squirrel, cat, dog, duck, frog, turtle, bunny, kitten, puppy, pig, owl, hedgehog,
monkey, elephant, lion, penguin, lamb, beaver, badger, otter, mole, deer, raccoon, hamster, goat, koala, tiger, zebra,
giraffe, hippo, panda, skunk, dragon, crab, seal, chipmunk
:beast = bird, cat, puppy, rabbit, squirrel, duck, frog, turtle, fox, owl, kitten, mouse, deer, bear, lamb, pony,
goose, crow, hedgehog, swan, goat, donkey, parrot, snail, calf, robin, sparrow, lizard, pigeon, otter, bat, seal
:bug = butterfly, bee, ladybug, ant, beetle, dragonfly, spider, caterpillar, cricket, snail, worm, grasshopper, moth,
firefly
:songbird = robin, sparrow, crow, blackbird, dove, woodpecker, owl, jay, swallow, cuckoo, seagull, magpie
:flower = daisy, rose, tulip, sunflower, poppy, daffodil, lily, violet, bluebell, dandelion, buttercup
:tree = oak, apple tree, pine tree, willow, cherry tree, maple, birch, fir tree, pear tree, chestnut tree, palm tree
:nature = leaf, flower, stick, feather, pine cone, acorn, shell, pebble, stone, mushroom, nut, twig, seed, button
:color = red, blue, green, yellow, pink, brown, white, orange, purple, black, golden, silver, gray, turquoise
:big = big, huge, large, tall, giant, enormous, great, wide, gigantic
:small = little, small, tiny
:size = big, small, little, tiny, huge, large
:pretty = pretty, shiny, beautiful, special, lovely, nice, soft, fancy, colorful, sparkly, perfect, wonderful, smooth,
bright, round, funny, curious, strange, precious, delicate
:plain = old, wooden, rusty, dusty, broken, empty, long, narrow, heavy, quiet, dark, mossy, crooked, muddy, hollow,
stone
:fine = good, great, wonderful, fun, lovely, amazing, nice, perfect, exciting, marvelous, splendid, fantastic
:glad = happy, excited, glad, proud, joyful, cheerful, delighted, pleased, thrilled, merry, full of joy
:sad = sad, upset, unhappy, disappointed, gloomy, lonely, sorry, miserable, heartbroken, down
:scared = scared, afraid, frightened, worried, nervous, anxious, terrified, uneasy, alarmed
:angry = angry, mad, cross, upset, grumpy, annoyed, furious, bitter
:kindly = kind, nice, gentle, helpful, friendly, caring, sweet, generous, thoughtful, patient, polite
:trait = curious, kind, brave, shy, clever, playful, gentle, silly, friendly, quiet, cheerful, stubborn, careful,
lazy, funny, polite, noisy, impatient, honest, dreamy, adventurous, fearless, messy, thoughtful, bold, restless
:very = very, so, really, very very, quite, truly
:soon = soon, after a while, a little later, then, before long, at last, a few minutes later, next, in the end
:suddenly = suddenly, just then, at that moment, all of a sudden, right then, out of nowhere, a moment later
:quickly = quickly, slowly, carefully, quietly, bravely, happily, eagerly, gently, nervously, proudly, at once, softly
:food = apple, cookie, sandwich, banana, carrot, muffin, pear, pancake, cupcake, sausage, peach, orange, biscuit,
plum, pie, bun, cracker, waffle, pretzel, donut
:meal = soup, pasta, rice, pizza, bread and butter, stew, porridge, noodles, cheese, potatoes, beans, fish and chips,
toast, salad
:sweet = cake, candy, ice cream, chocolate, jelly, honey, pudding, jam, caramel, toffee, popcorn, apple pie, marzipan
:drink = milk, juice, lemonade, water, hot cocoa, tea, apple juice, orange juice
:berry = strawberries, blueberries, cherries, raspberries, nuts, apples, mushrooms, plums, walnuts, blackberries
:clothes = hat, scarf, coat, jacket, sweater, shirt, cap, raincoat, apron, cape, vest, costume, bow tie, belt, hood,
ribbon, helmet, robe
:furniture = sofa, bed, chair, rug, lamp, cupboard, stove, door, piano, armchair, dresser, clock, stool, bench,
mattress, cabinet
:tool = glue, tape, rope, string, nails, paint, wire, ribbon, cloth, thread, paper, wax
:many = ten, twelve, twenty, fifteen, thirty, thirteen
:baked = cookie, pancake, muffin, cupcake, donut, waffle, bun, sandwich, biscuit, pie, sausage, pretzel
:vehicle = bus, truck, train, bike, tractor, boat, taxi, fire truck, van, wagon, plane, scooter, sled
:worker = farmer, baker, doctor, teacher, firefighter, policeman, fisherman, postman, librarian, gardener, painter,
captain, sailor, cook, nurse, clown, builder, tailor, king, queen, pilot, dentist, wizard, shopkeeper, zookeeper
:noise = splash, bang, crack, thump, buzz, squeak, rustle, whistle, growl, pop, crash, knock, hiss, rumble, clang,
creak, hum
:jewel = coin, ring, key, necklace, gem, crown, bell, button, marble, pearl, medal, crystal, bracelet, diamond
:container = box, basket, bag, jar, bucket, bowl, bottle, pot, sack, cup, backpack, tin, crate
:vessel = can, cup, bucket, jar, bottle, bowl, pot, pail
:number = two, three, four, five, six, seven, eight, nine, ten, twelve, twenty
:surface = table, shelf, chair, desk, bench, counter, window sill, cupboard, stool, chest
:seat = bench, step, box, stone, log, stool, bucket, chair, pillow
:obstacle = rock, root, log, bucket, stone, step, rope, branch, stick, box, bench, hose
:open_spot = under the bench, behind the rock, in the tall grass, under a pile of leaves, in a bush, beside the fence,
behind the tree, in a puddle, on a high branch, inside a hollow log, next to the swing, in the sand, under the bridge,
between two stones, in a nest, by the gate, at the bottom of the slide, in the flower bed, on the steps, behind the
shed, near the well, under a mushroom, in a wheelbarrow, among the roots
:indoor_spot = under the bed, behind the sofa, in a box, on the top shelf, under the table, inside a big pot, behind
the door, in the laundry basket, under a pillow, in the bottom drawer, between two books, on the window sill, inside a
boot, under the rug, behind the curtain, in a coat pocket, next to the stove, under the stairs, on top of the
cupboard, in the toy chest
:precious = vase, plate, clock, lamp, teapot, cup, bowl, picture, statue, jug, mirror, flower pot, globe
:build = house, tower, fort, bridge, castle, tent, boat, treehouse, nest, wagon, raft, playhouse, robot, swing
:crop = carrots, tomatoes, pumpkins, beans, peas, sunflowers, melons, onions, radishes, cucumbers, beets, peppers
:act = sing, dance, tell a story, juggle, play the flute, do magic tricks, recite a poem, play the drum, tell jokes,
play the guitar, whistle, walk on {his} hands
:goal = old tree, bridge, big rock, gate, lake, red barn, end of the street, top of the hill, school, windmill
:foe = dog, fox, cat, wolf, snake, eagle, goose, bear, bull
:magic = fairy, wizard, genie, elf, witch, mermaid, unicorn, gnome
:lesson_lost = it is good to put things back in their place, friends help you when you are sad, you should never give
up, it is important to take care of your things
:lesson_sharing = sharing is caring, toys are more fun with a friend, friends are more important than toys, being mean
makes everyone sad
:lesson_broken = broken things can be mended, it is important to be careful, it is good to ask for help, patience pays
off
:lesson_birthday = the best gifts come from the heart, friends make every party better, giving is as nice as getting
:lesson_lie = telling the truth is best, a lie only makes things worse, it is brave to say sorry, everyone makes
mistakes
:lesson_market = kindness comes back to you, it is good to help others, saving takes patience, being honest feels good
:lesson_greedy = too much of a good thing is bad, it is better to share, you should not take more than you need
:lesson_wish = the best things are already there, you should be careful what you wish for, home is the best place of
all
:lesson_rescue = even small friends can do big things, helping others feels good, being brave means helping when you
are scared
:lesson_skill = practice makes you better, you should never give up, everyone learns in their own time, trying again
is brave
:lesson_race = winning is not everything, a friend is worth more than a prize, helping is better than winning
:lesson_building = working together is more fun, two heads are better than one, you can always start again
:lesson_cooking = making something together is fun, mistakes can be tasty, good food is better when it is shared
:lesson_garden = good things take time, being patient pays off, small seeds can grow into big things
:lesson_show = it is okay to be scared, a smile helps a lot, being brave is easier with a friend
:lesson_snow_day = winter can be fun, it is good to come home when it is cold, a warm home is a treasure
:lesson_new_friend = saying hello is the first step, a friend can be anywhere, being shy is okay
:lesson_secret = some secrets are better when they are shared, small creatures need our care, a good friend keeps a
promise
:lesson_storm = storms always pass, it is less scary together, it is okay to be scared
:lesson_lost_way = it is important to listen, it is good to stay close to your family, kind strangers can be a great
help
:lesson_night = the dark is not so bad, things look bigger at night, it is brave to look
:lesson_sick = a visit is the best medicine, being kind makes people feel better, friends take care of each other
:lesson_teased = being different is okay, words can hurt, it is what is inside that counts
:lesson_letter = friends can be close even when they are far away, waiting makes you glad in the end, a letter can
make someone happy
"""
